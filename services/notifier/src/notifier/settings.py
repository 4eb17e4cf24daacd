"""What the notifier is told by its environment."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class NotifierSettings(BaseSettings):
    """The notifier's own settings; durations in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="TEXTMANAGER_NOTIFIER_", frozen=True, populate_by_name=True
    )

    smtp_url: SecretStr | None = Field(default=None, validation_alias="TEXTMANAGER_SMTP_URL")
    """`smtp://` or `smtps://`, with user and password if the server wants them; mail waits for it.

    `?starttls=always`, `never` or `auto`: by default it is used where the server has it, and
    insisted on before a password is told.
    """
    sender: str = Field(
        default="Text Manager <textmanager@localhost.localdomain>",
        validation_alias="TEXTMANAGER_NOTIFIER_FROM",
    )
    """Whom the mails are from; the part behind the @ is in their Message-IDs too."""
    timeout: float = Field(default=30.0, gt=0)
    """How long the mail server may take for one answer."""
    lease: float = Field(default=300.0, gt=0)
    """How long a mail may be in hand before another process takes it up."""
    claim: int = Field(default=8, ge=1)
    """How many mails are in hand at once."""
    retry: float = Field(default=5.0, gt=0)
    """How long a mail waits after its first failure; each further one doubles that."""
    longest_retry: float = Field(default=300.0, gt=0)
    give_up: float = Field(default=7 * 86_400.0, gt=0)
    """What happened so long ago is not mailed any more: nobody needs a flood of old alarms."""
    poll: float = Field(default=1.0, gt=0)
    """How often it is looked for mails whose time has come."""
    figures_patience: float = Field(default=600.0, ge=0)
    """How long a report waits for the read models to have the whole run."""
    late_report_after: float = Field(default=72 * 3_600.0, gt=0)
    """How long after a run's end the changed report is mailed at the latest (TM-4)."""
    late_quiet: float = Field(default=60.0, ge=0)
    """How long after a late status it is looked whether all statuses are final."""
    silence_grace: float = Field(default=300.0, ge=0)
    """How late a run may begin before somebody is told that it didn't (X-20)."""
    silence_poll: float = Field(default=15.0, gt=0)
    activities_quiet: float = Field(default=60.0, ge=0)
    """How long after a refused activity nothing more is refused before somebody is told."""
    activities_longest: float = Field(default=600.0, ge=0)
    """How long after a run's first refused activity somebody is told at the latest."""
    reviews_settle: float = Field(default=60.0, ge=0)
    """How long texts that wait for a decision are gathered before they are told of."""
    alerts_an_hour: int = Field(default=5, ge=1)
    """Of one kind and organisation; what comes beyond them is told together in one mail."""
