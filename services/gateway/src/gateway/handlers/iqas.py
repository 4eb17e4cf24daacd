"""Queries of iMIS, as the signed-in staff member sees them."""

from contracts.events.campaign import Audience
from gateway.domain.records import StaffSession
from gateway.handlers.imis import as_refusals
from gateway.handlers.organizations import settings_of
from gateway.handlers.sessions import imis_token_of
from gateway.ports import Clock, Desk, Imis, Seal
from imis_client import Folder, QueryDefinition


async def browse(
    session: StaffSession, path: str, *, desk: Desk, imis: Imis, seal: Seal, clock: Clock
) -> Folder:
    """List a folder of queries."""
    async with desk.read() as reading:
        settings = await settings_of(session.organization_id, reading=reading)
    with as_refusals():
        return await imis.browse(
            settings.imis, imis_token_of(session, seal=seal, clock=clock), path
        )


async def columns(
    session: StaffSession,
    path: str,
    *,
    audience: Audience | None = None,
    desk: Desk,
    imis: Imis,
    seal: Seal,
    clock: Clock,
) -> QueryDefinition:
    """Describe a query, and what must be mended before a campaign can use it."""
    async with desk.read() as reading:
        settings = await settings_of(session.organization_id, reading=reading)
    with as_refusals():
        token = imis_token_of(session, seal=seal, clock=clock)
        return await imis.columns(settings.imis, token, path, audience=audience)
