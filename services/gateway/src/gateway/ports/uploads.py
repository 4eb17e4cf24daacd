"""Lists that staff uploaded."""

from typing import Protocol
from uuid import UUID

from gateway.domain.uploads import Upload


class Uploads(Protocol):
    """Lists that were taken in whole; their rows are the audience's."""

    async def keep(self, upload: Upload) -> None:
        """Keep what a list has."""

    async def get(self, organization_id: UUID, upload_id: UUID) -> Upload | None:
        """Return what a list has."""
