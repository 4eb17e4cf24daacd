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
    progress_seconds: float = Field(default=0.5, gt=0)
    """How long between two progress events of a run."""
    heartbeat_seconds: float = Field(default=15.0, gt=0)
    """How often a stream without news says that it is alive."""
