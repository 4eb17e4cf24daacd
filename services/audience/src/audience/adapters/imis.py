"""Every organisation's iMIS, by the account in its settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from audience.adapters.tables import SETTINGS
from audience.domain.failures import Unusable
from chassis.secrets import SecretBox
from chassis.store import Store
from contracts.events.campaign import Audience
from contracts.events.organization import ImisAccess
from imis_client import ImisClient, Page, TryAgain


@dataclass(slots=True)
class _Site:
    """A client, made of the organisation's settings of this sequence."""

    sequence: int
    client: ImisClient
    prompt_names: dict[str, list[str]] = field(default_factory=dict)


class OrganizationsImis:
    """One client an organisation, made anew when its settings change."""

    def __init__(self, store: Store, box: SecretBox) -> None:
        self._store = store
        self._box = box
        self._sites: dict[UUID, _Site] = {}

    async def page(
        self, organization_id: UUID, audience: Audience, *, offset: int, limit: int
    ) -> Page:
        """Read one page of an IQA; raises imis_client's errors, and `Unusable`."""
        site = await self._site(organization_id)
        prompts = await _prompts(site, audience)
        return await site.client.rows(
            audience.iqa_path, offset=offset, limit=limit, prompts=prompts
        )

    def allow_login(self, organization_id: UUID) -> None:
        """Let a login that iMIS refused be tried once more."""
        if (site := self._sites.get(organization_id)) is not None:
            site.client.allow_login()

    async def close(self) -> None:
        """Give all connections back."""
        while self._sites:
            _, site = self._sites.popitem()
            await site.client.close()

    async def _site(self, organization_id: UUID) -> _Site:
        event = await SETTINGS.get(self._store, organization_id)
        if event is None:
            raise TryAgain("the organisation's settings have not arrived yet")
        known = self._sites.get(organization_id)
        if known is not None and known.sequence >= event.sequence:
            return known
        site = self._sites[organization_id] = _Site(
            event.sequence, self._client(event.settings.imis)
        )
        if known is not None:
            await known.client.close()
        return site

    def _client(self, access: ImisAccess) -> ImisClient:
        password = self._box.open(access.password_encrypted)
        try:
            return ImisClient(access.url, access.username, password, access.version)
        except ValueError as error:
            raise Unusable(f"{error} Correct it in the settings.") from None


async def _prompts(site: _Site, audience: Audience) -> Mapping[str, str]:
    """Give each value the name of its prompt; 2017 tells prompts apart by their order alone."""
    if not audience.prompts:
        return {}
    path = audience.iqa_path
    if site.client.version == "2017":
        names = [str(place) for place, _ in enumerate(audience.prompts)]
    else:
        if path not in site.prompt_names:
            definition = await site.client.columns(path)
            site.prompt_names[path] = [prompt.name for prompt in definition.prompts]
        names = site.prompt_names[path]
    return dict(zip(names, audience.prompts, strict=False))
