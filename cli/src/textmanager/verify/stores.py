"""What the services' own databases say, to be held against the log."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Column, MetaData, Select, String, Table, Uuid, func, select, true
from sqlalchemy.exc import DBAPIError

from chassis.outbox import OUTBOX
from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts.events.message import Accepted, Outcome, Refused, Simulated, Unresolved
from contracts.topics import SERVICES
from readmodels import generations
from readmodels.tables import GAPS
from readmodels.tables import MESSAGES as SHOWN
from textmanager.verify.book import Book, Chain
from textmanager.verify.checks import Finding

_METADATA = MetaData()
_LEDGER = Table(
    "messages",
    _METADATA,
    Column("message_id", Uuid, primary_key=True),
    Column("run_id", Uuid),
    Column("state", String),
    Column("sid", String),
)
_EFFECTS = Table(
    "effects",
    _METADATA,
    Column("message_id", Uuid, primary_key=True),
    Column("about", String, primary_key=True),
    Column("state", String),
    Column("seqn", String),
)
_WAITING = frozenset({"queued", "claimed", "in_doubt"})


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the sender's ledger."""

    run_id: UUID
    state: str
    sid: str | None


@dataclass(slots=True)
class Stores:
    """What the databases hold."""

    ledger: dict[UUID, Row] = field(default_factory=dict)
    effects: dict[tuple[UUID, str], tuple[str, str | None]] = field(default_factory=dict)
    """A message may have two: about the text, and about the member's having opted out."""
    unpublished: dict[str, int] = field(default_factory=dict)
    """How many events wait in each service's outbox."""
    shown: dict[UUID, tuple[int, str | None, str | None]] = field(default_factory=dict)
    """What staff see of each message: the newest status's number, its word and its SID."""
    gaps: int = 0
    """How many records the read models lack."""


async def read(settings: ServiceSettings, *, run_id: UUID | None = None) -> Stores:
    """Read the sender's ledger, the imis-writer's effects, and every outbox."""
    stores = Stores()
    mine = true() if run_id is None else _LEDGER.c.run_id == run_id
    for row in await _rows(settings, "sender", select(_LEDGER).where(mine)):
        stores.ledger[row.message_id] = Row(row.run_id, row.state, row.sid)
    for row in await _rows(settings, "imis-writer", select(_EFFECTS)):
        if run_id is None or row.message_id in stores.ledger:
            stores.effects[row.message_id, row.about] = (row.state, row.seqn)
    await _read_models(settings, stores, run_id)
    for service in SERVICES:
        if service == "projections":
            continue  # It says nothing, and its tables have a name for each generation.
        counted = await _rows(
            settings, service, select(func.count().label("n")).select_from(OUTBOX)
        )
        if counted and counted[0].n:
            stores.unpublished[service] = counted[0].n
    return stores


async def _read_models(settings: ServiceSettings, stores: Stores, run_id: UUID | None) -> None:
    name = generations.store_name(await generations.serving(settings))
    columns = SHOWN.c
    query = select(columns.message_id, columns.status_sequence, columns.told, columns.sid)
    mine = true() if run_id is None else columns.run_id == run_id
    for row in await _rows(settings, name, query.where(mine)):
        stores.shown[row.message_id] = (row.status_sequence, row.told, row.sid)
    counted = await _rows(settings, name, select(func.count().label("n")).select_from(GAPS))
    stores.gaps = counted[0].n if counted else 0


async def _rows(settings: ServiceSettings, service: str, query: Select[Any]) -> Sequence[Any]:
    """Return what a service's database holds; nothing when the service never ran here."""
    store = Store(settings, name=service, metadata=MetaData())
    try:
        async with store.read() as connection:
            rows: Sequence[Any] = (await connection.execute(query)).all()
            return rows
    except DBAPIError as error:
        if "no such table" in str(error) or getattr(error.orig, "sqlstate", "") == "42P01":
            return []
        raise
    finally:
        await store.stop()


def against(book: Book, stores: Stores, run_id: UUID | None = None) -> Iterator[Finding]:
    """The sender's ledger and the effects in iMIS say what the log says."""
    for service, count in stores.unpublished.items():
        yield Finding("outboxes", f"{count} events of {service} wait to be published")
    if stores.gaps:
        yield Finding("read models", f"{stores.gaps} records could not be projected")
    for message_id, chain in book.chains.items():
        row = stores.ledger.get(message_id)
        if run_id not in {None, chain.run_id} or chain.queued is None:
            continue
        if not _is_shown(chain, stores.shown.get(message_id)):
            yield Finding("read models", "staff see another status than the log says", message_id)
        if row is None:
            yield Finding("ledger", "is queued in the log, and not in the ledger", message_id)
            continue
        for what in _differs(row, chain.outcome, excluded=chain.excluded is not None):
            yield Finding("ledger", what, message_id, chain.run_id)
    for message_id, row in stores.ledger.items():
        if message_id not in book.chains:
            yield Finding("ledger", "is in the ledger, and not in the log", message_id, row.run_id)
    for (message_id, _), (state, seqn) in stores.effects.items():
        known = book.chains[message_id].seqns if message_id in book.chains else {}
        seqns = {each for all_ in known.values() for each in all_}
        if state == "written" and seqn not in seqns:
            yield Finding("activities", "is written by the store, not by the log", message_id)


def _is_shown(chain: Chain, shown: tuple[int, str | None, str | None] | None) -> bool:
    """Whether the read model shows the log's newest status of a message."""
    if chain.status is None:
        return shown is None or shown[1] is None
    return shown == (max(chain.statuses), *chain.status)


def _differs(row: Row, outcome: Outcome | None, *, excluded: bool) -> Iterator[str]:
    expected, sid = _state(outcome)
    if excluded and not isinstance(outcome, Accepted):
        expected = {"excluded", *expected}
    if row.state not in expected:
        yield f"the ledger says {row.state}, the log {' or '.join(sorted(expected))}"
    elif row.sid != sid:
        yield "the ledger has another SID than the log"


def _state(outcome: Outcome | None) -> tuple[set[str], str | None]:
    match outcome:
        case Accepted(sid=sid):
            return {"accepted"}, sid
        case Refused():
            return {"refused"}, None
        case Simulated():
            return {"simulated"}, None
        case Unresolved():
            # An operator may have decided that it is sent again.
            return {"unknown", *_WAITING}, None
        case None:
            return set(_WAITING), None
