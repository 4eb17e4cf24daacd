"""Where an audience's rows are read: iMIS, or a list that staff uploaded."""

from uuid import UUID

from audience.adapters.imis import OrganizationsImis
from audience.adapters.uploads import UploadedRows
from contracts.events.campaign import Audience
from imis_client import Page


class Sources:
    """Every source of rows, chosen by the audience."""

    def __init__(self, imis: OrganizationsImis, uploads: UploadedRows) -> None:
        self._imis = imis
        self._uploads = uploads

    async def page(
        self, organization_id: UUID, audience: Audience, *, offset: int, limit: int
    ) -> Page:
        """Read one page; raises imis_client's errors, `Unusable` and `NotHereYet`."""
        if audience.upload_id is None:
            return await self._imis.page(organization_id, audience, offset=offset, limit=limit)
        return await self._uploads.page(
            organization_id, audience.upload_id, offset=offset, limit=limit
        )
