"""From verdicts to the events that say them, in pages of a bounded size."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json

from audience.domain.reading import Reading
from audience.domain.verdicts import Accepted, Rejected, Verdict
from contracts.events.audience import (
    AudienceFailed,
    Recipient,
    RecipientRejected,
    RecipientsResolved,
    Totals,
)
from contracts.events.campaign import CampaignDue
from contracts.ids import message_id, recipient_id

MOST_RECIPIENTS = 500
MOST_BYTES = 256 * 1024
LONGEST_SHOWN = 200
"""Of a phone or an id that is none, so much is told, and it ends with "…"; a cell has no limit."""
# What a recipient's keys, ids, number, zone and counts take at most beside its iMIS id and text.
_RECIPIENT_BYTES = 360


class Resolving(BaseModel):
    """A checkpoint: which stored rows have had their verdict, and what that came to."""

    model_config = ConfigDict(frozen=True)

    rows: int = 0
    pages: int = 0
    recipients: int = 0
    rejected: int = 0
    segments: int = 0
    done: bool = False

    def after(self, verdicts: Sequence[Verdict], *, stored: int) -> "Resolving":
        """Return the checkpoint once these rows have had their verdict, of `stored` in all."""
        accepted = [each.segments for each in verdicts if isinstance(each, Accepted)]
        rows = self.rows + len(verdicts)
        return Resolving(
            rows=rows,
            pages=self.pages,
            recipients=self.recipients + len(accepted),
            rejected=self.rejected + len(verdicts) - len(accepted),
            segments=self.segments + sum(accepted),
            done=rows >= stored,
        )

    def totals(self, *, rows_last_time: int | None) -> Totals:
        """What the pages add up to so far."""
        return Totals(
            rows=self.rows,
            recipients=self.recipients,
            rejected=self.rejected,
            segments=self.segments,
            rows_last_time=rows_last_time,
        )


class Progress(BaseModel):
    """A run's checkpoint: first all rows are stored, then each has its verdict."""

    model_config = ConfigDict(frozen=True)

    reading: Reading = Reading()
    resolving: Resolving = Resolving()
    failed: bool = False

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self.failed or self.resolving.done


def say(
    due: CampaignDue,
    verdicts: Sequence[Verdict],
    before: Resolving,
    *,
    stored: int,
    at: datetime,
    rows_last_time: int | None = None,
) -> tuple[Resolving, list[RecipientsResolved | RecipientRejected]]:
    """Return the checkpoint after these rows, and all that is to be told of them.

    Only the last page has totals; it is there, if empty, for an audience of nobody too.
    """
    after = before.after(verdicts, stored=stored)
    recipients = [_recipient(due, each) for each in verdicts if isinstance(each, Accepted)]
    pages = list(_cut(recipients, room=MOST_BYTES - len(_page(due, (), at=at).model_dump_json())))
    if after.done and not pages:
        pages = [()]
    said: list[RecipientsResolved | RecipientRejected] = [
        _rejection(due, each, at=at) for each in verdicts if isinstance(each, Rejected)
    ]
    for number, page in enumerate(pages, start=before.pages + 1):
        is_last = after.done and number == before.pages + len(pages)
        totals = after.totals(rows_last_time=rows_last_time) if is_last else None
        said.append(_page(due, page, at=at, sequence=number, totals=totals))
    return after.model_copy(update={"pages": before.pages + len(pages)}), said


def failure(due: CampaignDue, sentence: str, progress: Progress, *, at: datetime) -> AudienceFailed:
    """Say that the run has no audience."""
    return AudienceFailed(
        organization_id=due.organization_id,
        occurred_at=at,
        sequence=progress.resolving.pages + 1,
        run_id=due.run_id,
        campaign_id=due.campaign_id,
        reason=sentence,
    )


def _recipient(due: CampaignDue, accepted: Accepted) -> Recipient:
    recipient = recipient_id(due.run_id, accepted.row.number)
    return Recipient(
        recipient_id=recipient,
        message_id=message_id(recipient),
        row=accepted.row.number,
        imis_id=accepted.row.imis_id,
        to=accepted.to,
        text=accepted.text,
        segments=accepted.segments,
        zone=accepted.zone,
    )


def _rejection(due: CampaignDue, rejected: Rejected, *, at: datetime) -> RecipientRejected:
    return RecipientRejected(
        organization_id=due.organization_id,
        occurred_at=at,
        sequence=1,
        run_id=due.run_id,
        campaign_id=due.campaign_id,
        recipient_id=recipient_id(due.run_id, rejected.row.number),
        row=rejected.row.number,
        imis_id=_shown(rejected.row.imis_id),
        phone=_shown(rejected.row.phone),
        reason=rejected.reason,
        same_as_imis_id=rejected.same_as_imis_id,
    )


def _shown(cell: str) -> str:
    return cell if len(cell) <= LONGEST_SHOWN else f"{cell[: LONGEST_SHOWN - 1]}…"


def _page(
    due: CampaignDue,
    recipients: tuple[Recipient, ...],
    *,
    at: datetime,
    sequence: int = 1,
    totals: Totals | None = None,
) -> RecipientsResolved:
    return RecipientsResolved(
        organization_id=due.organization_id,
        occurred_at=at,
        sequence=sequence,
        run_id=due.run_id,
        campaign_id=due.campaign_id,
        mode=due.mode,
        write_to=due.write_to,
        from_number=due.from_number,
        name=due.name,
        occurrence=due.occurrence,
        purpose=due.purpose,
        log_subject=due.log_subject,
        recipients=recipients,
        totals=totals,
    )


def _cut(recipients: Sequence[Recipient], *, room: int) -> Iterator[tuple[Recipient, ...]]:
    """Cut into pages that keep both limits; a page has one recipient at least."""
    # The totals take the place of a null, and the sequence may have more digits.
    room -= 200
    page: list[Recipient] = []
    used = 0
    for each in recipients:
        size = _RECIPIENT_BYTES + len(to_json(each.text)) + len(to_json(each.imis_id))
        if page and (used + size > room or len(page) >= MOST_RECIPIENTS):
            yield tuple(page)
            page, used = [], 0
        page.append(each)
        used += size
    if page:
        yield tuple(page)
