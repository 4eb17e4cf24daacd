"""Every organisation's iMIS, by the account in its settings."""

from dataclasses import dataclass, field, replace
from uuid import UUID

from audience.adapters.tables import SETTINGS
from audience.domain.failures import Unusable
from audience.domain.prompts import Question, answered, refused
from chassis.secrets import SecretBox
from chassis.store import Store
from contracts.events.campaign import Audience
from contracts.events.organization import ImisAccess
from imis_client import BadRequest, Forbidden, ImisClient, NotFound, Page, QueryDefinition, TryAgain
from imis_client.kinds import merged
from imis_client.queries import filled


@dataclass(frozen=True, slots=True)
class _Known:
    """What iMIS told of a query: its definition, or that there is none."""

    definition: QueryDefinition | None
    absent: NotFound | None = None


@dataclass(slots=True)
class _Site:
    """A client, made of the organisation's settings of this sequence."""

    sequence: int
    client: ImisClient
    known: dict[str, _Known] = field(default_factory=dict)


class OrganizationsImis:
    """One client an organisation, made anew when its settings change.

    A client logs in no more once iMIS has refused its account, so one of the old settings is of
    no use to the new ones.
    """

    def __init__(self, store: Store, box: SecretBox) -> None:
        self._store = store
        self._box = box
        self._sites: dict[UUID, _Site] = {}

    async def page(
        self, organization_id: UUID, audience: Audience, *, offset: int, limit: int
    ) -> Page:
        """Read one page of an IQA; raises imis_client's errors, and `Unusable`."""
        site, path = await self._site(organization_id), audience.iqa_path
        if offset == 0 or path not in site.known:
            # Asked anew for each pass: prompts are renamed, and columns change their type.
            site.known[path] = await _look_up(site.client, path)
        known = site.known[path]
        values = _values(site.client, audience, known.definition)
        try:
            page = await site.client.rows(
                path, offset=offset, limit=limit, prompts=_sent(site.client, values)
            )
        except BadRequest as error:
            raise refused(audience, values, said=error.detail) or error from None
        except NotFound as error:
            raise known.absent or error from None
        declared = {} if known.definition is None else _declared(known.definition)
        rows = (
            page.rows if known.definition is None else filled(page.rows, known.definition.columns)
        )
        names = [*page.kinds, *(name for name in declared if name not in page.kinds)]
        kinds = {name: merged(page.kinds.get(name, ""), declared.get(name, "")) for name in names}
        return replace(page, rows=rows, kinds=kinds)

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


async def _look_up(client: ImisClient, path: str) -> _Known:
    try:
        return _Known(await client.definition(path))
    except NotFound as error:
        # Whether it is really gone, running it says.
        return _Known(None, absent=error)
    except (BadRequest, Forbidden):
        # An account may run a query whose definition it may not see.
        return _Known(None)


def _values(
    client: ImisClient, audience: Audience, definition: QueryDefinition | None
) -> dict[str, str]:
    """Give each prompt its value; 2017 tells prompts apart by their order alone."""
    is_old = client.version == "2017"
    asked = [] if definition is None else definition.prompts
    if asked or (definition is not None and not is_old):
        return answered([Question(each.name, each.property_name) for each in asked], audience)
    # iMIS doesn't say what it asks for. In order, then, or by the names that the author knew.
    if is_old:
        in_order = audience.prompts or tuple(audience.answers.values())
        return {str(place): value for place, value in enumerate(in_order)}
    if any(audience.prompts):
        raise Unusable(
            f"iMIS doesn't tell what {audience.iqa_path} asks for. Let the organisation's iMIS "
            "account see the query, or answer its prompts by their names."
        )
    return dict(audience.answers)


def _sent(client: ImisClient, values: dict[str, str]) -> dict[str, str]:
    """Leave out what has no value, but for 2017, where each keeps its place."""
    if client.version == "2017":
        return values
    return {name: value for name, value in values.items() if value}


def _declared(definition: QueryDefinition) -> dict[str, str]:
    return {column.name: column.kind for column in definition.columns if column.kind}
