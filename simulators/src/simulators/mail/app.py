"""The HTTP side: pages for people, `/control/…` and `/_sim/…` for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from simulators.mail import pages
from simulators.mail.box import Box, Summary, attachments, body, content_of, parsed, whole
from simulators.mail.smtp import KNOWN, Listener
from simulators.shared import App, Faults, answer_faults

_LOCKED = {
    "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
}
_OURS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'"
}


class MailSimulator:
    """The mails, what shall go wrong with them, and both ports."""

    def __init__(self, *, state: Path, host: str, smtp_port: int = 0, seed: int = 0) -> None:
        self.box = Box(state)
        self.faults = Faults(KNOWN, seed=seed)
        self.listener = Listener(self.box, self.faults, host=host, port=smtp_port)

    def app(self) -> App:
        """Return the application; mails are taken while it is served."""
        return Starlette(
            routes=[
                Route("/", self._listed),
                Route("/mails/{number:int}", self._shown),
                Route("/mails/{number:int}/html", self._html),
                Route("/mails/{number:int}/source", self._source),
                Route("/mails/{number:int}/attachments/{place:int}", self._attachment),
                Route("/control/mails", self._every),
                Route("/control/mails/{number:int}", self._one),
                Route("/_sim/health", self._health),
                Route("/_sim/faults", self._faults, methods=["GET", "POST", "DELETE"]),
            ],
            lifespan=self._life,
        )

    @asynccontextmanager
    async def _life(self, _app: Starlette) -> AsyncIterator[None]:
        await self.listener.open()
        yield
        await self.listener.close()
        self.box.close()

    async def _listed(self, _request: Request) -> Response:
        return HTMLResponse(pages.listed(self.box.mails), headers=_OURS)

    async def _shown(self, request: Request) -> Response:
        summary, content = self._asked_for(request)
        message = parsed(content)
        files = [
            (each.get_filename() or "", len(content_of(each))) for each in attachments(message)
        ]
        text, html = body(message, "plain"), body(message, "html")
        page = pages.shown(summary, text=text, html=html, files=files)
        return HTMLResponse(page, headers=_OURS)

    async def _html(self, request: Request) -> Response:
        _, content = self._asked_for(request)
        return HTMLResponse(body(parsed(content), "html"), headers=_LOCKED)

    async def _source(self, request: Request) -> Response:
        _, content = self._asked_for(request)
        return PlainTextResponse(content, headers=_LOCKED)

    async def _attachment(self, request: Request) -> Response:
        _, content = self._asked_for(request)
        files = attachments(parsed(content))
        place = request.path_params["place"]
        if place >= len(files):
            raise HTTPException(404, "The mail has no such file.")
        name = quote(files[place].get_filename() or "file")
        said = {"content-disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(
            content_of(files[place]), media_type=files[place].get_content_type(), headers=said
        )

    async def _every(self, _request: Request) -> Response:
        """Show every mail, the oldest first."""
        found = [(each, self.box.source(each.number) or b"") for each in self.box.mails]
        return JSONResponse({"mails": [whole(each, parsed(content)) for each, content in found]})

    async def _one(self, request: Request) -> Response:
        summary, content = self._asked_for(request)
        return JSONResponse(whole(summary, parsed(content)))

    async def _health(self, _request: Request) -> Response:
        return JSONResponse(
            {"status": "ok", "mails": len(self.box.mails), "smtp_port": self.listener.port}
        )

    async def _faults(self, request: Request) -> Response:
        name = request.query_params.get("name", "")
        status, content = answer_faults(self.faults, request.method, await request.body(), name)
        return JSONResponse(content, status)

    def _asked_for(self, request: Request) -> tuple[Summary, bytes]:
        number = request.path_params["number"]
        content = self.box.source(number)
        if content is None:
            raise HTTPException(404, "There is no such mail.")
        return self.box.mails[number - 1], content
