"""What must be true of every log; each check says what it found otherwise."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from contracts import ids
from contracts.events.campaign import Mode
from contracts.events.message import Accepted, Outcome, Refused, Simulated, Unresolved
from textmanager.verify.book import Book, Chain, Run

MOST_RESENDS = 1000
SENT_ONES = frozenset({"TEXTMSG", "LOG"})
"""What iMIS keeps of a text that was sent; of one that was not it keeps something else."""
ENDS = {
    "delivered": {"delivered"},
    "read": {"delivered"},
    "undelivered": {"undelivered"},
    "failed": {"failed", "error"},
    "canceled": {"failed"},
}
"""Twilio's last words, and the statuses that they may result in."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that should not be."""

    check: str
    what: str
    message_id: UUID | None = None
    run_id: UUID | None = None


def of_events(book: Book) -> Iterator[Finding]:
    """Each event has one content, and the one that caused it is in the log."""
    for altered in book.altered:
        yield Finding("events", f"{altered} is in the log with two contents")
    for cause, (_, caused) in book.causes.items():
        yield Finding("causes", f"{caused} names {cause} as its cause, which the log doesn't have")


def of_run(run: Run) -> Iterator[Finding]:
    """A run is derived from its campaign and occurrence, begins once, and its pages add up."""

    def wrong(check: str, what: str) -> Finding:
        return Finding(check, what, run_id=run.run_id)

    if run.resent is not None:
        numbers = range(1, MOST_RESENDS)
        earlier = run.resent.earlier_run_id
        if all(ids.resend_run_id(earlier, number) != run.run_id for number in numbers):
            yield wrong("derived ids", "is not derived from the run that it stands in for")
        return
    if run.single:
        return
    if len(run.due) != 1:
        yield wrong("runs", f"began {len(run.due)} times")
    for due in run.due:
        if ids.run_id(due.campaign_id, due.occurrence) != run.run_id:
            yield wrong("derived ids", "is not derived from its campaign and occurrence")
    if len(run.completed) > 1:
        yield wrong("runs", f"was completed {len(run.completed)} times")
    for row, recipient in run.rejected.items():
        if ids.recipient_id(run.run_id, row) != recipient:
            yield wrong("derived ids", f"row {row}: its recipient's id is not derived from it")
    if run.totals is None and run.completed:
        yield wrong("totals", "was completed, and the page with its totals is not in the log")
    if run.totals is not None and not run.failed:
        if sorted(run.pages) != list(range(1, len(run.pages) + 1)):
            yield wrong("pages", f"has the pages {_brief(sorted(run.pages))}")
        yield from (wrong("totals", what) for what in _sums(run))


def _sums(run: Run) -> Iterator[str]:
    totals = run.totals
    assert totals is not None, "asked of a run that has its totals"
    recipients = sum(run.pages.values())
    if recipients != totals.recipients:
        yield f"{totals.recipients} recipients told, {recipients} on its pages"
    if run.rejected_count != totals.rejected or len(run.rejected) != totals.rejected:
        yield f"{totals.rejected} rows rejected, {run.rejected_count} rejections in the log"
    if totals.rows != totals.recipients + totals.rejected:
        yield f"{totals.rows} rows are not {totals.recipients} and {totals.rejected}"


def of_message(chain: Chain, run: Run | None) -> Iterator[Finding]:
    """A message comes of one row, is sent once, and its status is what Twilio told."""

    def wrong(check: str, what: str) -> Finding:
        return Finding(check, what, message_id=chain.message_id, run_id=chain.run_id)

    if chain.run_id is None or chain.recipient_id is None or chain.row is None:
        yield wrong("chains", "no page names it and nobody queued it")
        return
    if ids.recipient_id(chain.run_id, chain.row) != chain.recipient_id:
        yield wrong("derived ids", "its recipient's id is not derived from run and row")
    if ids.message_id(chain.recipient_id) != chain.message_id:
        yield wrong("derived ids", "its id is not derived from its recipient")
    if chain.resolved is None and chain.supersedes is None:
        yield wrong("chains", "was queued, and no page names it")
    if chain.resolved and chain.queued and chain.resolved != chain.queued:
        yield wrong("chains", "what was queued is not what was resolved")
    if run is not None and run.over and not (chain.outcomes or chain.excluded):
        yield wrong("accounted for", "its run is over, and nothing says what became of it")
    if chain.excluded and isinstance(chain.outcome, Accepted):
        yield wrong("accounted for", f"was sent, and left out ({chain.excluded}) too")
    yield from (wrong("sent once", what) for what in _sending(chain))
    yield from (wrong("statuses", what) for what in _telling(chain))
    yield from (wrong("activities", what) for what in _writing(chain))


def _sending(chain: Chain) -> Iterator[str]:
    if len(chain.sids) > 1:
        yield f"Twilio took it {len(chain.sids)} times"
    if chain.mode is Mode.TEST and chain.sids:
        yield "is a TEST message, and was sent"
    if chain.outcomes and not (chain.queued or chain.excluded):
        yield "was submitted, and never queued"


def _telling(chain: Chain) -> Iterator[str]:
    if sorted(chain.statuses) != list(range(1, len(chain.statuses) + 1)):
        yield f"its statuses are numbered {_brief(sorted(chain.statuses))}"
    told = chain.status
    if told is None:
        return
    expected = _expected(chain)
    if expected and told.status not in expected:
        yield f"its status is {told.status}; by what Twilio said it is {' or '.join(expected)}"


def _expected(chain: Chain) -> list[str]:
    sids = chain.sids
    last = {word for sid, word in chain.reports if word in ENDS and (not sids or sid in sids)}
    if last and not isinstance(chain.outcome, Simulated | Refused):
        return sorted({status for word in last for status in ENDS[word]})
    return _answered(chain.outcome)


def _answered(outcome: Outcome | None) -> list[str]:
    match outcome:
        case Accepted():
            return ["sent"]
        case Refused():
            return ["failed", "error"]
        case Simulated():
            return ["simulated"]
        case Unresolved():
            # A report may show that Twilio has it before the sender has read as much.
            return ["unknown", "sent"]
        case None:
            return []


def _writing(chain: Chain) -> Iterator[str]:
    for effect, kind in chain.effects.items():
        if ids.effect_id(chain.message_id, kind) != effect:
            yield f"its {kind}'s id is not derived from it"
    for kind, seqns in chain.seqns.items():
        if len(held := seqns - chain.deleted) > 1:
            yield f"has {len(held)} {kind} activities"
        if kind in SENT_ONES and not any(each.sid for each in chain.statuses.values()):
            yield f"has a {kind}, and was never sent"


def across_messages(book: Book) -> Iterator[Finding]:
    """A SID and an activity belong to one message; a row is superseded once."""
    owners: dict[str, set[UUID]] = defaultdict(set)
    activities: Counter[str] = Counter()
    stands_in: Counter[UUID] = Counter()
    for chain in book.chains.values():
        for sid in chain.sids:
            owners[sid].add(chain.message_id)
        activities.update(f"{kind} {seqn}" for kind, all_ in chain.seqns.items() for seqn in all_)
        if chain.supersedes is not None:
            stands_in[chain.supersedes] += 1
    for sid, messages in owners.items():
        if len(messages) > 1:
            yield Finding("sent once", f"{sid} is {len(messages)} messages' SID", min(messages))
    for message_id, times in stands_in.items():
        if times > 1:
            yield Finding("sent once", f"was superseded {times} times", message_id)


def _brief(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    return f"{shown}, ... ({len(numbers)})" if len(numbers) > 5 else shown


def under_way(book: Book, run_id: UUID | None = None) -> int:
    """Return how many messages have no outcome yet, in runs that are not over."""
    return sum(
        not (chain.outcomes or chain.excluded)
        for chain in book.chains.values()
        if run_id in {None, chain.run_id}
    )


def all_of(book: Book, run_id: UUID | None = None) -> Iterator[Finding]:
    """Check the whole log, or one run of it."""
    if run_id is None:
        yield from of_events(book)
        yield from across_messages(book)
    for run in book.runs.values():
        if run_id in {None, run.run_id}:
            yield from of_run(run)
    for chain in book.chains.values():
        if run_id in {None, chain.run_id}:
            yield from of_message(chain, book.runs.get(chain.run_id) if chain.run_id else None)
