"""Organisations and their settings."""

from uuid import UUID

from chassis.secrets import WrongKey
from contracts.events.organization import OrganizationSettings, OrganizationSettingsChanged
from gateway.domain.refusals import NotThere
from gateway.ports import Clock, Desk, Reading, Seal


async def change_settings(
    organization_id: UUID, settings: OrganizationSettings, *, desk: Desk, seal: Seal, clock: Clock
) -> tuple[OrganizationSettingsChanged, bool]:
    """Replace an organisation's settings; returns them, and whether the organisation is new.

    Settings that say the same as before change nothing and announce nothing.
    """
    async with desk.work() as work:
        known = await work.organizations.get(organization_id)
        if known is not None and _same(known.settings, settings, seal):
            return known, False
        changed = OrganizationSettingsChanged(
            organization_id=organization_id,
            occurred_at=clock(),
            sequence=1 if known is None else known.sequence + 1,
            settings=settings,
        )
        await work.organizations.save(changed)
        work.outbox.publish(changed)
        return changed, known is None


async def settings_of(organization_id: UUID, *, reading: Reading) -> OrganizationSettings:
    """Return an organisation's settings."""
    known = await reading.organizations.get(organization_id)
    if known is None:
        raise NotThere("There is no such organisation.")
    return known.settings


def _same(one: OrganizationSettings, other: OrganizationSettings, seal: Seal) -> bool:
    """Compare settings; the same secret never has the same encrypted form twice."""
    try:
        return _opened(one, seal) == _opened(other, seal)
    except WrongKey:
        return False


def _opened(settings: OrganizationSettings, seal: Seal) -> tuple[object, str, str]:
    bare = settings.model_dump(
        exclude={"imis": {"password_encrypted"}, "twilio": {"auth_token_encrypted"}}
    )
    return (
        bare,
        seal.open(settings.imis.password_encrypted).get_secret_value(),
        seal.open(settings.twilio.auth_token_encrypted).get_secret_value(),
    )
