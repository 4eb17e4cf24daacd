"""How an engine looks to the supervisor."""

import asyncio

from textmanager.child import Spec
from textmanager.engines.engine import Engine
from textmanager.engines.ports import HOST


def engine_spec(engine: Engine) -> Spec:
    """A prepared engine as a process to keep; it comes back on the same port and data."""

    async def answers() -> bool:
        return await asyncio.to_thread(engine.answers)

    return Spec(
        name=engine.name,
        kind="engine",
        command=engine.command(),
        port=engine.port,
        url=engine.url,
        is_ready=answers,
        own_log=engine.log,
    )


async def listens(port: int) -> bool:
    """Whether something takes connections on this port of ours."""
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
