"""Twilio accounts in memory, from the organisations' settings in the ingress's own database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import SecretStr
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from chassis.logs import get_logger
from chassis.secrets import SecretBox, WrongKey
from contracts.events.organization import OrganizationSettingsChanged
from ingress.domain import Form, Lane


@dataclass(frozen=True, slots=True)
class SigningAccount:
    """An organisation with what checks its signatures."""

    organization_id: UUID
    account_sid: str
    token: SecretStr
    numbers: frozenset[str]
    validator: RequestValidator

    def signed(self, url: str, form: Form, signature: str) -> bool:
        """Whether this signature was made with the account's token."""
        return bool(self.validator.validate(url, form, signature))


class CachedAccounts:
    """Every account, as of the last refresh; a token is decrypted once."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box
        self._opened: dict[str, tuple[SecretStr, RequestValidator]] = {}
        self._lanes: dict[Lane, SigningAccount] = {}
        self._owners: dict[str, list[SigningAccount]] = {}

    def owners(self, account_sid: str) -> Sequence[SigningAccount]:
        """Return the organisations that named this account as theirs, one as a rule."""
        return self._owners.get(account_sid, ())

    def lanes(self) -> Mapping[Lane, SigningAccount]:
        """Return every number that is texted, with the account that it is in."""
        return self._lanes

    def refresh(self, organizations: Iterable[OrganizationSettingsChanged]) -> None:
        """Forget what was known and know these."""
        opened: dict[str, tuple[SecretStr, RequestValidator]] = {}
        owners: dict[str, list[SigningAccount]] = {}
        for each in sorted(organizations, key=lambda known: known.organization_id):
            sealed = each.settings.twilio.auth_token_encrypted
            try:
                token, validator = self._opened.get(sealed) or self._open(sealed)
            except WrongKey:
                # The others' webhooks must be taken all the same.
                get_logger().error(
                    "A Twilio token can't be decrypted; its account's webhooks are refused.",
                    organization_id=str(each.organization_id),
                )
                continue
            opened[sealed] = token, validator
            numbers = frozenset(number.number for number in each.settings.numbers)
            account = SigningAccount(
                each.organization_id, each.settings.twilio.account_sid, token, numbers, validator
            )
            owners.setdefault(account.account_sid, []).append(account)
        self._opened, self._owners = opened, owners
        self._lanes = {
            Lane(account.organization_id, number): account
            for accounts in owners.values()
            for account in accounts
            for number in account.numbers
        }

    def _open(self, sealed: str) -> tuple[SecretStr, RequestValidator]:
        token = self._box.open(sealed)
        return token, RequestValidator(token.get_secret_value())
