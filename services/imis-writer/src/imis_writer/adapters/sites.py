"""Every organisation's iMIS through the iMIS client; its errors become outcomes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never
from uuid import UUID

from chassis.secrets import SecretBox, WrongKey
from contracts.events.organization import ImisAccess, OrganizationSettingsChanged
from imis_client import (
    Activity,
    BadRequest,
    CredentialsRejected,
    Forbidden,
    ImisClient,
    ImisError,
    InDoubt,
    NotFound,
    TryAgain,
)
from imis_writer.adapters import wording
from imis_writer.adapters.entries import effect_in, html_of
from imis_writer.domain.doubts import (
    Answer,
    Candidate,
    Entries,
    OfMember,
    OnRecord,
    Question,
    StillThere,
)
from imis_writer.domain.effects import Effect, Kind
from imis_writer.domain.outcomes import (
    Ambiguous,
    Deleted,
    Doubtful,
    LoginRefused,
    NoAnswer,
    Opened,
    Outcome,
    Postponed,
    Refused,
    Written,
)
from imis_writer.ports import NoAccess

CATEGORY = "Text Manager"


@dataclass(frozen=True, slots=True)
class ImisSite:
    """One organisation's iMIS."""

    client: ImisClient
    category_column: str

    async def write(self, effect: Effect) -> Outcome:
        """Write an effect or delete it, in one request."""
        if effect.kind is Kind.LOG and self.client.version == "2017":
            return Refused(wording.NO_LOG)
        try:
            return await self._request(effect)()
        except TryAgain as error:
            return Postponed(error.retry_after)
        except CredentialsRejected as error:
            return LoginRefused(wording.login_refused(error))
        except InDoubt:
            return Doubtful()
        except (BadRequest, Forbidden, NotFound) as error:
            return Refused(await self._reason(effect, error))

    def _request(self, effect: Effect) -> Callable[[], Awaitable[Outcome]]:
        async def delete() -> Outcome:
            await self.client.delete_activity(effect.seqn or "")
            return Deleted()

        async def put_on_record() -> Outcome:
            log_id = effect.log_id or ""
            await self.client.add_log_recipient(log_id, effect.imis_id, effect.to)
            return Written(log_id)

        async def open_entry() -> Outcome:
            html = html_of(effect.text, effect.effect_id)
            return Opened(await self.client.create_log(effect.subject, html))

        async def create() -> Outcome:
            return Written(await self.client.create_activity(self._activity(effect)))

        if effect.seqn is not None:
            return delete
        if effect.kind is not Kind.LOG:
            return create
        # The entry's id is committed before it is put on a record, and so it is put there once.
        return open_entry if effect.log_id is None else put_on_record

    def _activity(self, effect: Effect) -> Activity:
        of_text = effect.kind is Kind.TEXTMSG
        return Activity(
            party_id=effect.imis_id,
            type=effect.kind.value,
            transaction_date=effect.transaction_date,
            description=effect.to if of_text else "",
            note=effect.text if of_text else "",
            uf_1="" if of_text else effect.to,
            category_column=self.category_column,
            category=CATEGORY,
        )

    async def _reason(self, effect: Effect, error: ImisError) -> str:
        if effect.seqn is None and effect.kind is not Kind.LOG:
            try:
                if await self.client.activity_type_exists(effect.kind.value) is False:
                    return wording.no_type(effect.kind)
            except ImisError:
                pass
        return wording.refused(error, of_log=effect.kind is Kind.LOG, deletes=bool(effect.seqn))

    async def ask(self, question: Question) -> Answer:
        """Look for what may have been done."""
        try:
            return await self._answer(question)
        except TryAgain as error:
            return NoAnswer(error.retry_after)
        except CredentialsRejected as error:
            return LoginRefused(wording.login_refused(error))
        except ImisError:
            # To delete it once more does no harm: iMIS never gives a SEQN twice.
            return True if isinstance(question, StillThere) else Ambiguous(wording.CANT_LOOK)

    async def _answer(self, question: Question) -> Answer:
        match question:
            case StillThere(seqn):
                return await self.client.activity(seqn) is not None
            case OnRecord(log_id, imis_id):
                return await self.client.log_is_on_record(log_id, imis_id)
            case Entries(subject):
                return await self._entries(subject)
            case OfMember(imis_id, kind):
                return await self._candidates(imis_id, kind)
            case _:
                assert_never(question)

    async def _entries(self, subject: str) -> Answer:
        shown: list[bool] = []
        ours: dict[UUID, str] = {}
        async for log_id, html in self.client.find_logs(subject):
            shown.append(bool(html))
            if effect_id := effect_in(html):
                ours[effect_id] = log_id
        # A site that lists entries without their text tells nothing of whose they are.
        return ours if any(shown) or not shown else Ambiguous(wording.CANT_LOOK)

    async def _candidates(self, imis_id: str, kind: Kind) -> list[Candidate]:
        return [
            Candidate(
                seqn=each.seqn,
                imis_id=each.party_id,
                kind=each.type,
                transaction_date=each.transaction_date,
                number=each.description if kind is Kind.TEXTMSG else each.uf_1,
                note=each.note,
            )
            for each in await self.client.find_activities(imis_id, kind.value)
        ]


class ImisSites:
    """One client an organisation, kept while its access stays the same."""

    def __init__(self, box: SecretBox, *, timeout: float, connect_timeout: float) -> None:
        self._box = box
        self._timeout = timedelta(seconds=timeout)
        self._connect_timeout = timedelta(seconds=connect_timeout)
        self._known: dict[UUID, tuple[ImisAccess, ImisClient]] = {}

    async def site(self, organization: OrganizationSettingsChanged) -> ImisSite:
        """Return the iMIS that these settings lead to; raises `NoAccess`."""
        access = organization.settings.imis
        known = self._known.get(organization.organization_id)
        if known is None or known[0] != access:
            await self.forget(organization.organization_id)
            known = access, self._open(access)
            self._known[organization.organization_id] = known
        return ImisSite(known[1], access.category_column)

    async def forget(self, organization_id: UUID) -> None:
        """Begin anew with this organisation, its login included."""
        known = self._known.pop(organization_id, None)
        if known is not None:
            await known[1].close()

    async def close(self) -> None:
        """Give every connection back."""
        for organization_id in list(self._known):
            await self.forget(organization_id)

    def _open(self, access: ImisAccess) -> ImisClient:
        try:
            return ImisClient(
                access.url,
                access.username,
                self._box.open(access.password_encrypted),
                access.version,
                timeout=self._timeout,
                connect_timeout=self._connect_timeout,
            )
        except (ValueError, WrongKey) as error:
            raise NoAccess from error
