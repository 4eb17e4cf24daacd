"""Every organisation's iMIS through the iMIS client; its errors become outcomes."""

from dataclasses import dataclass
from datetime import timedelta
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
from imis_writer.domain.doubts import Candidate
from imis_writer.domain.effects import (
    KIND,
    Doubtful,
    Effect,
    LoginRefused,
    NoAnswer,
    Outcome,
    Postponed,
    Refused,
    Written,
)
from imis_writer.ports import NoAccess

CATEGORY = "Text Manager"
UNWELCOME_SECONDS = 300.0
NO_TYPE = (
    f"iMIS has no activity type {KIND}. Create it in iMIS (RiSE > Maintenance > Activity types, on "
    f"older sites Customers > Set up tables > Activities) with the code {KIND}."
)
NO_RIGHT = "The iMIS account that runs use may not create activities. Give it that right in iMIS."
BAD_VALUES = (
    "iMIS does not take the activity. Check that the member still exists, and that the column "
    "for the CEU type in the settings is a column of activities."
)
NO_ROUTE = "iMIS has no activities at its REST address. Check the iMIS URL in the settings."


@dataclass(frozen=True, slots=True)
class ImisSite:
    """One organisation's iMIS."""

    client: ImisClient
    category_column: str

    async def write(self, effect: Effect) -> Outcome:
        """Write an activity, in one request."""
        activity = Activity(
            party_id=effect.imis_id,
            type=KIND,
            transaction_date=effect.transaction_date,
            description=effect.to,
            note=effect.text,
            category_column=self.category_column,
            category=CATEGORY,
        )
        try:
            return Written(await self.client.create_activity(activity))
        except TryAgain as error:
            return Postponed(error.retry_after)
        except CredentialsRejected:
            return LoginRefused()
        except Forbidden:
            return Refused(NO_RIGHT)
        except (BadRequest, NotFound) as error:
            return Refused(await self._reason(error))
        except InDoubt:
            return Doubtful()

    async def _reason(self, error: BadRequest | NotFound) -> str:
        try:
            if not await self.client.activity_type_exists(KIND):
                return NO_TYPE
        except ImisError:
            return BAD_VALUES
        return NO_ROUTE if isinstance(error, NotFound) else BAD_VALUES

    async def find(self, imis_id: str) -> list[Candidate] | NoAnswer | LoginRefused:
        """Return a member's activities of our kind."""
        try:
            found = await self.client.find_activities(imis_id, KIND)
        except TryAgain as error:
            return NoAnswer(error.retry_after)
        except CredentialsRejected:
            return LoginRefused()
        except ImisError:
            # Not for this account, or not for REST: a person has to see to it first.
            return NoAnswer(UNWELCOME_SECONDS)
        return [
            Candidate(
                seqn=each.seqn,
                imis_id=each.party_id,
                kind=each.type,
                transaction_date=each.transaction_date,
                description=each.description,
                note=each.note,
            )
            for each in found
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
