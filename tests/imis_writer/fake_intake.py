"""The intake in memory."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid4

from tests.imis_writer.facts import effect

from contracts.envelope import Envelope
from contracts.events.activity import ActivitiesHeld, ActivityEvent, ActivityRetryRequested
from contracts.events.consent import Consent, ConsentChanged
from contracts.events.message import (
    MessageQueued,
    MessageStatus,
    MessageStatusChanged,
    RecipientExcluded,
)
from contracts.events.organization import OrganizationSettings, OrganizationSettingsChanged
from imis_writer.domain import opt_outs, telling
from imis_writer.domain.effects import LOG_SUBJECT, About, Effect, Key, Kind, State, kind_of
from imis_writer.domain.opt_outs import Attempt, Known, Noted, Pair, Standing


@dataclass
class Row:
    effect: Effect
    state: State
    not_before: datetime | None = None
    message: bool = False
    wanted: bool = False
    from_number: str = ""
    status_sequence: int | None = None
    opted_out: tuple[datetime, UUID] | None = None
    claimed_by: tuple[str, UUID] | None = None
    lease_until: datetime | None = None
    undo: bool = False
    retried_at: datetime | None = None


@dataclass
class Shared:
    """What every process sees."""

    rows: dict[Key, Row] = field(default_factory=dict)
    told: list[ActivityEvent | ActivitiesHeld] = field(default_factory=list)
    known: dict[UUID, OrganizationSettingsChanged] = field(default_factory=dict)
    standings: dict[Pair, Standing] = field(default_factory=dict)
    holds: dict[UUID, int] = field(default_factory=dict)


@dataclass
class FakeIntake:
    process: UUID = field(default_factory=uuid4)
    shared: Shared = field(default_factory=Shared)
    instance: str = "w-1"

    @property
    def rows(self) -> dict[Key, Row]:
        return self.shared.rows

    def _row(self, message_id: UUID) -> Row:
        blank = Row(effect(message_id=message_id, attempts=0), State.WAITING)
        return self.rows.setdefault(Key(message_id, About.TEXT), blank)

    async def settings(self, organizations: Collection[UUID]) -> dict[UUID, OrganizationSettings]:
        known = self.shared.known
        return {each: known[each].settings for each in organizations if each in known}

    async def queued(self, messages: Sequence[Envelope[MessageQueued]]) -> None:
        for event in (each.event for each in messages):
            row = self._row(event.message_id)
            if row.message:
                continue
            kind = kind_of(event.write_to, event.imis_id)
            row.message, row.wanted, row.from_number = True, kind is not None, event.from_number
            row.effect = replace(
                row.effect,
                kind=kind or Kind.TEXTMSG,
                organization_id=event.organization_id,
                imis_id=event.imis_id,
                to=event.to,
                text=event.text,
                subject=event.log_subject or LOG_SUBJECT,
                mode=event.mode,
            )
            if kind is None:
                row.state = State.UNNEEDED
            elif row.status_sequence is not None:
                row.state = State.READY
            self._note(row)

    async def succeeded(self, statuses: Sequence[Envelope[MessageStatusChanged]]) -> None:
        for each in statuses:
            event, row = each.event, self._row(each.event.message_id)
            untried = row.state in {State.WAITING, State.READY} and row.effect.attempts == 0
            known = row.status_sequence
            arrived = event.status is MessageStatus.DELIVERED and not row.effect.delivered
            if arrived and (untried or row.state is State.CLAIMED):
                row.effect = replace(row.effect, delivered=True)
            sent_at = event.attempted_at or event.occurred_at
            if untried and (known is None or event.sequence < known):
                row.status_sequence, row.not_before = event.sequence, sent_at
                row.effect = replace(row.effect, transaction_date=sent_at, because=each.id)
            elif not (untried and arrived):
                continue
            row.not_before = row.not_before or sent_at
            row.state = State.READY if row.message else State.WAITING

    async def refused(self, statuses: Sequence[Envelope[MessageStatusChanged]]) -> None:
        for each in statuses:
            row = self._row(each.event.message_id)
            at = each.event.attempted_at or each.event.occurred_at
            row.opted_out = row.opted_out or (at, each.id)
            self._note(row)

    def _note(self, row: Row) -> None:
        if row.opted_out is not None and row.wanted:
            at, because = row.opted_out
            self._attempted(row.effect, row.from_number, at=at, because=because, refused=True)

    async def excluded(self, excluded: Sequence[Envelope[RecipientExcluded]]) -> None:
        for each in excluded:
            event = each.event
            about = effect(
                message_id=event.message_id,
                organization_id=event.organization_id,
                imis_id=event.imis_id,
                to=event.to,
            )
            self._attempted(
                about, event.from_number, at=event.occurred_at, because=each.id, refused=False
            )

    def _attempted(
        self, about: Effect, from_number: str, *, at: datetime, because: UUID, refused: bool
    ) -> None:
        key = Key(about.message_id, About.OPT_OUT)
        if key in self.rows:
            return
        attempt = Attempt(
            message_id=about.message_id,
            organization_id=about.organization_id,
            run_id=about.run_id,
            campaign_id=about.campaign_id,
            imis_id=about.imis_id,
            to=about.to,
            from_number=from_number,
            at=at,
            because=because,
            refused=refused,
        )
        told = {each.member for each in self._noted() if each.counts}
        state = State.READY
        if opt_outs.is_moot(attempt, [self._standing(pair) for pair in attempt.pairs]):
            state = State.MOOT
        elif self._at_stop(about.organization_id) and attempt.member in told:
            state = State.UNNEEDED
        self._add(attempt, state)

    def _add(self, attempt: Attempt, state: State) -> None:
        key = Key(attempt.message_id, About.OPT_OUT)
        earlier = self.rows[key].effect.sequence if key in self.rows else 0
        written = effect(
            message_id=attempt.message_id,
            about=About.OPT_OUT,
            kind=Kind.TEXTUNSUB,
            organization_id=attempt.organization_id,
            imis_id=attempt.imis_id,
            to=attempt.to,
            text="",
            transaction_date=attempt.at,
            because=attempt.because,
            attempts=0,
            sequence=earlier,
        )
        not_before = attempt.at if state is State.READY else None
        row = Row(written, state, not_before, from_number=attempt.from_number)
        self.rows[key] = row

    def _standing(self, pair: Pair) -> Standing:
        return self.shared.standings.get(pair, Standing())

    def _at_stop(self, organization_id: UUID) -> bool:
        known = self.shared.known.get(organization_id)
        return known is not None and known.settings.write_unsubscribed_at == "stop"

    def _noted(self) -> list[Noted]:
        return [
            Noted(row.effect, row.from_number, row.state, row.undo)
            for key, row in self.rows.items()
            if key.about is About.OPT_OUT
        ]

    async def consents(self, consents: Sequence[Envelope[ConsentChanged]]) -> None:
        for each in sorted(consents, key=lambda each: each.event.sequence):
            event = each.event
            pair = Pair(event.organization_id, event.number, event.from_number)
            after = self._standing(pair).after(event)
            if after is self._standing(pair):
                continue
            self.shared.standings[pair] = after
            since = opt_outs.latest_start([after, self._standing(pair.of_all)])
            for noted in [each for each in self._noted() if each.is_of(pair)]:
                if event.consent is Consent.OPTED_IN:
                    self._amend(noted, opt_outs.after_start(noted), at=event.occurred_at)
                else:
                    changed = opt_outs.after_stop(noted, subscribed_at=since)
                    self._amend(noted, changed, at=event.occurred_at)
            if event.consent is Consent.OPTED_OUT and self._at_stop(event.organization_id):
                self._tell_at_once(each, pair)

    def _amend(self, old: Noted, new: Noted, *, at: datetime) -> None:
        row = self.rows[old.effect.key]
        row.state, row.undo, row.effect = new.state, new.undo, new.effect
        if new.state is old.state:
            return
        row.not_before = at if new.state is State.READY else None
        if old.state is State.REFUSED and new.state is State.MOOT:
            self.shared.told.append(telling.deleted(old.effect, at=at))
            row.effect = replace(row.effect, sequence=row.effect.sequence + 1)

    def _tell_at_once(self, told: Envelope[ConsentChanged], pair: Pair) -> None:
        texts = [
            row
            for key, row in self.rows.items()
            if key.about is About.TEXT
            and row.wanted
            and (row.effect.organization_id, row.effect.to) == pair[:2]
        ]
        texts.sort(key=lambda row: row.effect.transaction_date)
        known = [
            Known(
                *(row.effect.imis_id, row.effect.message_id, row.effect.run_id),
                *(row.effect.campaign_id, row.effect.to, row.from_number),
            )
            for row in texts
        ]
        for each in opt_outs.newest_known(known, self._noted(), pair):
            attempt = Attempt(
                message_id=each.message_id,
                organization_id=pair.organization_id,
                run_id=each.run_id,
                campaign_id=each.campaign_id,
                imis_id=each.imis_id,
                to=each.to,
                from_number=each.from_number,
                at=told.event.occurred_at,
                because=told.id,
                refused=False,
            )
            self._add(attempt, State.READY)

    async def retry(self, requests: Sequence[Envelope[ActivityRetryRequested]]) -> None:
        for event in (each.event for each in requests):
            for row in self.rows.values():
                mine = event.message_id in {None, row.effect.message_id}
                new = row.retried_at is None or row.retried_at < event.occurred_at
                if (
                    row.state is State.REFUSED
                    and row.effect.run_id == event.run_id
                    and mine
                    and new
                ):
                    row.state, row.not_before = State.READY, event.occurred_at
                    row.retried_at = event.occurred_at
                    row.effect = replace(row.effect, refusals=0)
