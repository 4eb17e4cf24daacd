"""What was written, held against iMIS, the uploads and the settings."""

from collections.abc import Sequence
from uuid import UUID

from contracts.events.campaign import CampaignDefinition
from gateway.domain.definition import (
    TOO_FEW_COLUMNS,
    activity_types,
    answer_faults,
    faults,
    how_to_create,
    must_read_columns,
)
from gateway.domain.prompts import settled
from gateway.domain.records import StaffSession
from gateway.domain.refusals import Fault, NotThere
from gateway.handlers.holding import refuse
from gateway.handlers.imis import as_refusals
from gateway.handlers.iqas import columns as read_columns
from gateway.handlers.organizations import settings_of
from gateway.handlers.sessions import imis_token_of
from gateway.ports import Clock, Desk, Imis, Reading, Seal
from imis_client import QueryDefinition


async def check(
    definition: CampaignDefinition,
    before: CampaignDefinition | None,
    *,
    staff: StaffSession,
    desk: Desk,
    imis: Imis,
    seal: Seal,
    clock: Clock,
) -> CampaignDefinition:
    """Return the definition with its audience's columns; raise when something in it is wrong."""
    columns = before.columns if before is not None and definition.audience is not None else ()
    problems: list[Fault] = []
    audience = definition.audience
    if audience is not None and must_read_columns(definition, before):
        try:
            if audience.upload_id is not None:
                columns = await _columns_of_upload(audience.upload_id, staff=staff, desk=desk)
            elif audience.iqa_path:
                query = await read_columns(
                    staff,
                    audience.iqa_path,
                    audience=audience,
                    desk=desk,
                    imis=imis,
                    seal=seal,
                    clock=clock,
                )
                audience = settled(audience, query.prompts)
                definition = definition.model_copy(update={"audience": audience})
                columns = tuple(each.name for each in query.columns if each.has_alias)
                problems += _query_faults(query, definition)
                asked = [each.name for each in query.prompts if not each.default]
                async with desk.work() as work:
                    await work.queries.keep(staff.organization_id, audience.iqa_path, asked)
            else:
                columns = ()
        except NotThere as error:
            columns = ()
            field = "audience.iqa_path" if audience.upload_id is None else "audience.upload_id"
            problems.append(Fault(field, error.detail))
    definition = definition.model_copy(update={"columns": columns})
    async with desk.read() as reading:
        settings = await settings_of(staff.organization_id, reading=reading)
    refuse([*problems, *faults(definition, settings)], "The campaign can't be saved as it is.")
    return definition


async def check_types(
    definition: CampaignDefinition,
    *,
    staff: StaffSession,
    desk: Desk,
    imis: Imis,
    seal: Seal,
    clock: Clock,
) -> list[Fault]:
    """Name the activity types that iMIS lacks for what the campaign writes (TM-8, TM-23)."""
    async with desk.read() as reading:
        settings = await settings_of(staff.organization_id, reading=reading)
    ways: list[str] = []
    for code in activity_types(definition, settings):
        token = imis_token_of(staff, seal=seal, clock=clock)
        with as_refusals():
            there = await imis.activity_type_exists(settings.imis, token, code)
        # Where nobody can tell, what iMIS refuses while it is written is listed then.
        if there is False:
            ways.append(how_to_create(code))
    # In one: a field is named once, and whoever creates one should know of the other.
    return [Fault("write_to", " ".join(ways))] if ways else []


async def prompts_of(
    definition: CampaignDefinition, organization_id: UUID, *, reading: Reading
) -> Sequence[str]:
    """Return what the campaign's query asks for, as far as it was read."""
    audience = definition.audience
    if audience is None or not audience.iqa_path:
        return ()
    return await reading.queries.prompts(organization_id, audience.iqa_path)


async def _columns_of_upload(
    upload_id: UUID, *, staff: StaffSession, desk: Desk
) -> tuple[str, ...]:
    async with desk.read() as reading:
        upload = await reading.uploads.get(staff.organization_id, upload_id)
    if upload is None:
        raise NotThere("There is no such upload.")
    return tuple(upload.columns)


def _query_faults(query: QueryDefinition, definition: CampaignDefinition) -> list[Fault]:
    if sum(each.has_alias for each in query.columns) < TOO_FEW_COLUMNS:
        return [Fault("audience.iqa_path", each) for each in query.problems]
    if definition.audience is None:
        return []
    return answer_faults(definition.audience, [each.name for each in query.prompts])
