"""Organisations and their settings."""

from collections.abc import Callable
from uuid import UUID

from chassis.secrets import WrongKey
from contracts.events.base import Event
from contracts.events.organization import OrganizationSettings, OrganizationSettingsChanged
from gateway.domain.refusals import NotThere, Outdated
from gateway.ports import Clock, Desk, Reading, Seal, Work

Change = Callable[[OrganizationSettings], OrganizationSettings]
NO_ORGANIZATION = "There is no such organisation."


async def change_settings(
    organization_id: UUID,
    settings: OrganizationSettings,
    *,
    desk: Desk,
    seal: Seal,
    clock: Clock,
    only_new: bool = False,
) -> tuple[OrganizationSettingsChanged, bool]:
    """Replace an organisation's settings; returns them, and whether the organisation is new.

    With `only_new`, one that is there is left as it is and refused. Settings that say the same as
    before change nothing and announce nothing. A stop stays: only lifting it lifts it (X-6).
    """
    async with desk.work() as work:
        known = await work.organizations.get(organization_id, hold=True)
        if known is None:
            return await announce(organization_id, settings, None, work=work, clock=clock), True
        if only_new:
            raise Outdated("There is such an organisation already.")
        settings = settings.model_copy(update={"stopped": known.settings.stopped})
        if _same(known.settings, settings, seal):
            return known, False
        return await announce(organization_id, settings, known, work=work, clock=clock), False


async def edit_settings(
    organization_id: UUID,
    change: Change,
    *,
    desk: Desk,
    clock: Clock,
    expected: Callable[[Event], bool] = lambda known: True,  # noqa: ARG005 - any version will do.
) -> OrganizationSettingsChanged:
    """Change some of an organisation's settings; a change that changes nothing announces nothing.

    A secret that is sealed anew always counts as a change, so that what waits for it goes on.
    """
    async with desk.work() as work:
        known = await work.organizations.get(organization_id, hold=True)
        if known is None:
            raise NotThere(NO_ORGANIZATION)
        if not expected(known):
            raise Outdated("Somebody changed the settings since you read them.")
        changed = change(known.settings)
        if changed == known.settings:
            return known
        return await announce(organization_id, changed, known, work=work, clock=clock)


async def announce(
    organization_id: UUID,
    settings: OrganizationSettings,
    known: OrganizationSettingsChanged | None,
    *,
    work: Work,
    clock: Clock,
) -> OrganizationSettingsChanged:
    """Keep settings that follow the known ones, and let everybody know."""
    sequence = 1 if known is None else known.sequence + 1
    if known is not None and _account(settings) == _account(known.settings):
        saved = known.account_sequence
    else:
        saved = sequence
    imis = settings.imis.model_copy(update={"saved": saved})
    settings = settings.model_copy(update={"imis": imis})
    changed = OrganizationSettingsChanged(
        organization_id=organization_id,
        occurred_at=clock(),
        sequence=sequence,
        settings=settings,
    )
    await work.organizations.save(changed)
    work.outbox.publish(changed)
    return changed


async def settings_of(organization_id: UUID, *, reading: Reading) -> OrganizationSettings:
    """Return an organisation's settings."""
    return (await newest_settings(organization_id, reading=reading)).settings


async def newest_settings(
    organization_id: UUID, *, reading: Reading
) -> OrganizationSettingsChanged:
    """Return an organisation's settings with their sequence, which is their version."""
    known = await reading.organizations.get(organization_id)
    if known is None:
        raise NotThere(NO_ORGANIZATION)
    return known


def _account(settings: OrganizationSettings) -> tuple[str, str, str, str]:
    """What iMIS is asked to take; a password that is saved anew is sealed anew."""
    site = settings.imis
    return site.url, site.version, site.username, site.password_encrypted


def _same(one: OrganizationSettings, other: OrganizationSettings, seal: Seal) -> bool:
    """Compare settings; the same secret never has the same encrypted form twice."""
    try:
        return _opened(one, seal) == _opened(other, seal)
    except WrongKey:
        return False


def _opened(settings: OrganizationSettings, seal: Seal) -> tuple[object, str, str]:
    bare = settings.model_dump(
        exclude={"imis": {"password_encrypted", "saved"}, "twilio": {"auth_token_encrypted"}}
    )
    return (
        bare,
        seal.open(settings.imis.password_encrypted).get_secret_value(),
        seal.open(settings.twilio.auth_token_encrypted).get_secret_value(),
    )
