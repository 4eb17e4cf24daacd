import pytest
from tests.imis_client.sites import OpenSite, Site

from imis_client import BadRequest, ImisClient, NotFound
from imis_client.models import Column
from imis_client.queries import filled
from simulators.imis import catalogue


async def test_browses_from_the_root_down_to_the_queries(site: Site) -> None:
    root = await site.client.browse("$/")
    assert [entry.path for entry in root.entries] == ["$/Common"]
    queries = await site.client.browse("$/Common/Queries")
    assert [(e.kind, e.name) for e in queries.entries] == [
        ("folder", "Empty folder"),
        ("folder", "Events"),
        ("folder", "Text Manager"),
    ]
    folder = await site.client.browse(catalogue.FOLDER)
    paths = [entry.path for entry in folder.entries]
    assert catalogue.MEMBERS in paths
    assert catalogue.DRAFT not in paths  # It is not published.
    assert {entry.kind for entry in folder.entries} == {"query"}


async def test_an_empty_folder_is_empty(site: Site) -> None:
    assert (await site.client.browse(catalogue.EMPTY_FOLDER)).entries == []


@pytest.mark.parametrize("path", ["$/Nowhere", catalogue.MEMBERS])
async def test_what_is_no_folder_is_not_found(site: Site, path: str) -> None:
    with pytest.raises(NotFound):
        await site.client.browse(path)


async def test_columns_are_the_aliases(site: Site) -> None:
    definition = await site.client.columns(catalogue.MEMBERS)
    assert [column.name for column in definition.columns] == [
        "iMIS Id",
        "FullName",
        "First Name",
        "Mobile Phone",
        "Member Since",
        "Balance",
    ]
    assert definition.problems == []
    assert definition.prompts == []


async def test_ems_columns_keep_their_property_and_caption(ems: Site) -> None:
    column = (await ems.client.columns(catalogue.MEMBERS)).columns[3]
    assert (column.name, column.property_name) == ("Mobile Phone", "MobilePhone")


async def test_a_query_without_aliases_has_a_problem_that_says_what_to_do(ems: Site) -> None:
    definition = await ems.client.columns(catalogue.NO_ALIASES)
    assert [column.name for column in definition.columns][:2] == ["ID", "FullName"]
    assert not any(column.has_alias for column in definition.columns)
    [problem] = definition.problems
    assert "Alias" in problem


async def test_a_2017_query_that_returns_nobody_cannot_show_its_columns(
    open_site: OpenSite,
) -> None:
    site = await open_site("2017")
    [problem] = (await site.client.columns(catalogue.NOBODY)).problems
    assert "no row" in problem


async def test_an_unknown_query_has_no_columns(site: Site) -> None:
    with pytest.raises(NotFound):
        await site.client.columns("$/Nowhere/Query")


async def test_reads_every_row_page_by_page(site: Site) -> None:
    rows, offset, more = [], 0, True
    while more:
        page = await site.client.rows(catalogue.MEMBERS, offset=offset)
        assert page.total == 1200
        rows += page.rows
        offset, more = page.next_offset, page.has_next
    everybody = site.simulator.catalogue.queries[catalogue.MEMBERS]
    truth = [catalogue.plain_row(everybody, row) for row in site.simulator.people.rows(0, 1200)]
    assert rows == truth


async def test_values_are_unwrapped_and_nulls_are_empty(site: Site) -> None:
    row = (await site.client.rows(catalogue.MEMBERS, offset=67, limit=1)).rows[0]
    assert row["FullName"] == ""
    assert row["Member Since"].endswith("T00:00:00")


async def test_an_empty_query_has_no_rows(site: Site) -> None:
    page = await site.client.rows(catalogue.NOBODY, offset=0)
    assert (page.rows, page.total, page.has_next) == ([], 0, False)


@pytest.mark.parametrize("path", [catalogue.NOT_FOR_REST, catalogue.DRAFT, "$/Nowhere"])
async def test_a_query_that_is_not_for_rest_says_how_to_mend_it(site: Site, path: str) -> None:
    with pytest.raises(NotFound, match="Available via the REST API"):
        await site.client.rows(path, offset=0)


async def test_a_missing_prompt_is_refused(site: Site) -> None:
    with pytest.raises(BadRequest) as refusal:
        await site.client.rows(catalogue.BY_CITY, offset=0)
    assert "City" in refusal.value.detail


async def test_prompts_are_listed_and_given_by_name(site: Site) -> None:
    definition = await site.client.columns(catalogue.BY_CITY)
    [prompt] = definition.prompts
    page = await site.client.rows(catalogue.BY_CITY, offset=0, prompts={prompt.name: "Boston"})
    assert page.total == 8
    assert len(page.rows) == 8


async def test_activity_types(site: Site) -> None:
    assert await site.client.activity_type_exists("TEXTMSG")
    assert not await site.client.activity_type_exists("NO/SUCH TYPE")


async def test_roles_are_known_on_ems_only(open_site: OpenSite) -> None:
    ems, old = await open_site("ems"), await open_site("2017")
    assert "SysAdmin" in (await ems.client.user_roles() or ())
    assert await old.client.user_roles() is None


async def test_a_total_that_drifts_is_told(site: Site) -> None:
    site.simulator.faults.add("total_drift", params={"by": 5})
    assert (await site.client.rows(catalogue.MEMBERS, offset=0)).total == 1205


def test_the_base_url_must_be_plain() -> None:
    from pydantic import SecretStr

    for url in ("demo.example", "https://name:pass@demo.example", "https://demo.example/?x=1"):
        with pytest.raises(ValueError, match="iMIS URL") as refusal:
            ImisClient(url, "name", SecretStr("pass"))
        assert "pass@" not in str(refusal.value)


def test_a_column_that_nobody_has_a_value_in_is_told_from_one_that_is_gone() -> None:
    listed = [Column("ID"), Column("Nick Name"), Column("PHONE"), Column("Own", has_alias=False)]
    assert filled([{"ID": "1", "Phone": "x"}], listed) == [
        {"ID": "1", "Phone": "x", "Nick Name": ""}
    ]
    assert filled([], listed) == []
