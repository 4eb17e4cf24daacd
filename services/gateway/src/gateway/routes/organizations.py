"""`/v1/organizations` and their list for operators, `/v1/organization` for staff."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from pydantic import BaseModel, Field

from contracts.ids import organization_id
from gateway.handlers import organizations as handlers
from gateway.routes.deps import Staff, The, only_operators
from gateway.routes.organization_shapes import OrganizationFields, OrganizationView
from gateway.routes.texts import Name

router = APIRouter(tags=["organisations"])


class KnownOrganization(BaseModel):
    """An organisation, as operators tell it from others."""

    organization_id: UUID
    cloud_id: str
    name: str
    numbers: list[str]
    stopped: bool


class OrganizationList(BaseModel):
    """The organisations of this installation."""

    items: list[KnownOrganization]
    more: bool = Field(description="Whether there are further ones.")


@router.put(
    "/v1/organizations/{cloud_id}",
    summary="Create an organisation, or replace its settings",
    dependencies=[Depends(only_operators)],
    responses={201: {"model": OrganizationView, "description": "The organisation is new"}},
)
async def put_organization(
    cloud_id: Annotated[Name, Path(max_length=100, examples=["DEMO"])],
    fields: OrganizationFields,
    gateway: The,
    response: Response,
    if_none_match: Annotated[
        Literal["*"] | None, Header(description="`*`: only create it; 412 if it is there.")
    ] = None,
) -> OrganizationView:
    """For operators. The secrets are kept encrypted and never shown again. A stop stays."""
    organization = organization_id(cloud_id)
    changed, new = await handlers.change_settings(
        organization,
        fields.settings(cloud_id, gateway.seal),
        desk=gateway.desk,
        seal=gateway.seal,
        clock=gateway.clock,
        only_new=if_none_match is not None,
    )
    response.status_code = 201 if new else 200
    return OrganizationView.of(organization, changed.settings)


@router.get(
    "/v1/operations/organizations",
    tags=["operations"],
    summary="List organisations",
    dependencies=[Depends(only_operators)],
)
async def get_organizations(
    gateway: The, limit: Annotated[int, Query(ge=1, le=1000)] = 1000
) -> OrganizationList:
    """For operators: who has an account here."""
    async with gateway.desk.read() as reading:
        found = await reading.organizations.every(limit=limit + 1)
    items = [
        KnownOrganization(
            organization_id=each.organization_id,
            cloud_id=each.settings.cloud_id,
            name=each.settings.name,
            numbers=[number.number for number in each.settings.numbers],
            stopped=each.settings.stopped is not None,
        )
        for each in found[:limit]
    ]
    return OrganizationList(items=items, more=len(found) > limit)


@router.get("/v1/organization", summary="Your organisation's settings")
async def get_organization(gateway: The, staff: Staff) -> OrganizationView:
    """Everything but the secrets."""
    async with gateway.desk.read() as reading:
        settings = await handlers.settings_of(staff.organization_id, reading=reading)
    return OrganizationView.of(staff.organization_id, settings)
