"""What the gateway is told by its environment."""

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

STAFF_ROLES = frozenset(
    {"SysAdmin", "Staff", "StaffUser", "CasualUser", "FullUser", "TextManager", "TextManagerStaff"}
)


class GatewaySettings(BaseSettings):
    """The gateway's own settings."""

    model_config = SettingsConfigDict(
        env_prefix="TEXTMANAGER_GATEWAY_", frozen=True, populate_by_name=True
    )

    operator_token: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices(
            "TEXTMANAGER_GATEWAY_OPERATOR_TOKEN", "TEXTMANAGER_OPERATOR_TOKEN"
        ),
    )
    """Who has it may write any organisation's settings; without it nobody may."""
    session_hours: float = Field(default=8.0, gt=0)
    login_attempts: int = Field(default=5, ge=1)
    """How often a login may fail before it has to wait."""
    address_attempts: int = Field(default=100, ge=1)
    """How often logins from one network address may fail before they have to wait."""
    refused_login_seconds: float = Field(default=1.0, ge=0)
    """How long a refused login takes at least, so that its time doesn't tell why."""
    login_window_seconds: float = Field(default=300.0, gt=0)
    staff_roles: frozenset[str] = STAFF_ROLES
    """The iMIS roles that make a login a staff member's, where the site tells roles at all."""
    imis_timeout_seconds: float = Field(default=15.0, gt=0)
    """How long somebody at a screen waits for iMIS."""
    summary_poll_seconds: float = Field(default=1.0, gt=0)
    """How often to look for a summary that another gateway process received."""
    schedule_preview_seconds: float = Field(default=20.0, ge=0)
    """How long scheduling waits for the count of what the campaign takes; 0 asks for none."""
    first_look_seconds: float = Field(default=20.0, ge=0)
    """How long "send me this first" waits for a member's text."""
    housekeeping_seconds: float = Field(default=60.0, gt=0)
    """How often to look for campaigns to put away."""
    redis_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("TEXTMANAGER_GATEWAY_REDIS_URL", "TEXTMANAGER_REDIS_URL"),
    )
    """Where the senders look for stops; without it they learn them from the log, a bit later."""
    progress_seconds: float = Field(default=0.5, gt=0)
    """How long between two progress events of a run."""
    docs_url: str = "docs/"
    """Where our documentation is; an address within the repository by default."""
    upload_rows: int = Field(default=100_000, ge=1)
    """How many rows an uploaded list may have."""
    upload_bytes: int = Field(default=50_000_000, ge=1, le=500_000_000)
    """How large a file may be that staff send."""
    heartbeat_seconds: float = Field(default=15.0, gt=0)
    """How often a stream without news says that it is alive."""
