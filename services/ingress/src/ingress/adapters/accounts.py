"""Twilio accounts in memory, from the organisations' settings in the ingress's own database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import MetaData
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from chassis.latest import Latest
from chassis.logs import get_logger
from chassis.secrets import SecretBox, WrongKey
from contracts.events.organization import OrganizationSettingsChanged
from ingress.domain import Form

METADATA = MetaData()
SETTINGS = Latest("organizations", METADATA, OrganizationSettingsChanged)


@dataclass(frozen=True, slots=True)
class SigningAccount:
    """An organisation with what checks its signatures."""

    organization_id: UUID
    numbers: frozenset[str]
    validator: RequestValidator

    def signed(self, url: str, form: Form, signature: str) -> bool:
        """Whether this signature was made with the account's token."""
        return bool(self.validator.validate(url, form, signature))


class CachedAccounts:
    """Every account, as of the last refresh; a token is decrypted once."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box
        self._validators: dict[str, RequestValidator] = {}
        self._owners: dict[str, list[SigningAccount]] = {}

    def owners(self, account_sid: str) -> Sequence[SigningAccount]:
        """Return the organisations that named this account as theirs, one as a rule."""
        return self._owners.get(account_sid, ())

    def refresh(self, organizations: Iterable[OrganizationSettingsChanged]) -> None:
        """Forget what was known and know these."""
        validators: dict[str, RequestValidator] = {}
        owners: dict[str, list[SigningAccount]] = {}
        for each in sorted(organizations, key=lambda known: known.organization_id):
            sealed = each.settings.twilio.auth_token_encrypted
            try:
                validator = self._validators.get(sealed) or self._open(sealed)
            except WrongKey:
                # The others' webhooks must be taken all the same.
                get_logger().error(
                    "A Twilio token can't be decrypted; its account's webhooks are refused.",
                    organization_id=str(each.organization_id),
                )
                continue
            validators[sealed] = validator
            numbers = frozenset(number.number for number in each.settings.numbers)
            account = SigningAccount(each.organization_id, numbers, validator)
            owners.setdefault(each.settings.twilio.account_sid, []).append(account)
        self._validators, self._owners = validators, owners

    def _open(self, sealed: str) -> RequestValidator:
        token = self._box.open(sealed)
        return RequestValidator(token.get_secret_value())
