"""TM-7: what iMIS tells of a value's type is kept, and text is never taken for anything else."""

from typing import Any

import pytest
from tests.imis_client.sites import OpenSite, Site

from imis_client.kinds import kind_of, kind_of_all, kind_of_type, merged
from imis_client.queries import page_of
from imis_client.wire import loads, text_of
from simulators.imis.catalogue import FOLDER, NO_ALIASES
from simulators.imis.custom import change_queries

DUES = f"{FOLDER}/Members with dues"
COLUMNS = ["iMIS Id", "Mobile Phone", "Paid Through", "Joined", "Dues", "Points", "Zip"]
ROWS: list[list[Any]] = [
    [
        "007",
        "4155552671",
        "2027-01-31T00:00:00",
        {"$type": "System.DateTime", "$value": "2019-03-04T14:05:00"},
        {"$type": "System.Decimal", "$value": 1234.5},
        {"$type": "System.Int32", "$value": 42},
        "00742",
    ],
    ["008", None, None, None, None, None, None],
]
TYPES = ["String", "String", "DateTime", "DateTime", "Money", "Int32", "String"]


def put_dues(site: Site) -> None:
    import orjson

    told = {"path": DUES, "columns": COLUMNS, "rows": ROWS, "types": TYPES}
    status, _ = change_queries(site.simulator.catalogue, "PUT", orjson.dumps(told))
    assert status == 200


async def test_tm7_a_page_keeps_its_values_as_told_and_says_what_they_are(site: Site) -> None:
    put_dues(site)
    page = await site.client.rows(DUES)
    assert page.kinds == {"Joined": "date", "Dues": "number", "Points": "whole"}
    first, second = page.rows
    assert (first["iMIS Id"], first["Zip"], first["Dues"]) == ("007", "00742", "1234.5")
    assert set(second.values()) == {"008", ""}


async def test_tm7_an_ems_definition_says_what_its_columns_are(ems: Site) -> None:
    put_dues(ems)
    definition = await ems.client.definition(DUES)
    assert {each.name: each.kind for each in definition.columns if each.kind} == {
        "Paid Through": "date",
        "Joined": "date",
        "Dues": "money",
        "Points": "whole",
    }


async def test_tm5_a_2017_query_that_asks_for_values_shows_its_columns_with_them(
    open_site: OpenSite,
) -> None:
    from simulators.imis.catalogue import BY_CITY

    site = await open_site("2017")
    asking = await site.client.columns(BY_CITY)
    assert len(asking.problems) == 1
    given = await site.client.columns(BY_CITY, prompts={"City:": "Boston"})
    assert given.problems == []
    assert "Mobile Phone" in [each.name for each in given.columns]


async def test_tm5_a_2017_query_without_listed_aliases_shows_those_of_a_row(
    open_site: OpenSite,
) -> None:
    site = await open_site("2017")
    definition = await site.client.columns(NO_ALIASES)
    assert [each.name for each in definition.columns][:2] == ["ID", "FullName"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("null", None),
        ('""', None),
        ('"2027-01-31T00:00:00"', ""),
        ('"12.50"', ""),
        ('"007"', ""),
        ("7", "whole"),
        ("-7", "whole"),
        ("7.5", "number"),
        ("1e3", "number"),
        ("true", ""),
        ('{"$type":"System.DateTime","$value":"2027-01-31T00:00:00"}', "date"),
        ('{"$type":"System.DateTimeOffset, mscorlib","$value":"2027-01-31T00:00:00Z"}', "date"),
        ('{"$type":"System.Decimal","$value":12.50}', "number"),
        ('{"$type":"System.Decimal","$value":"12.50"}', "number"),
        ('{"$type":"System.Int32","$value":42}', "whole"),
        ('{"$type":"System.String","$value":"42"}', ""),
        ('{"$type":"System.Guid","$value":"42"}', ""),
        ('{"$type":"System.Int32","$value":null}', None),
        ('{"$value":42}', "whole"),
        ('{"$type":"X.MonetaryAmountData, X","Amount":5,"Currency":{"CurrencyCode":"EUR"}}',
         "money:EUR"),
        ('{"Amount":5,"Currency":"USD"}', "money:USD"),
        ('{"Amount":5}', "money"),
        ('{"Amount":null}', None),
    ],
)  # fmt: skip
def test_tm7_a_values_kind_is_what_its_type_says(text: str, kind: str | None) -> None:
    answer = loads(b'{"value":' + text.encode() + b"}", "a value")
    assert kind_of(answer["value"]) == kind


def test_tm7_a_column_of_several_kinds_is_text() -> None:
    assert kind_of_all(["date", None, "date"]) == "date"
    assert kind_of_all(["whole", "number"]) == "number"
    assert kind_of_all(["date", ""]) == ""
    assert kind_of_all(["money:USD", "money:EUR"]) == ""
    assert kind_of_all([None, None]) == ""
    body = b'{"Items":{"$values":[{"A":5,"B":5},{"A":"007","B":6.5}]},"TotalCount":2}'
    page = page_of(loads(body, "a page"), offset=0)
    assert (page.kinds, page.rows[1]["A"]) == ({"B": "number"}, "007")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("System.DateTime", "date"), ("Date", "date"), ("System.Int64", "whole")),
        *(("Integer", "whole"), ("System.Decimal", "number"), ("Money", "money")),
        *(("Currency", "money"), ("String", ""), ("System.Boolean", ""), ("", "")),
        ("System.Int32, mscorlib", "whole"),
        ("Asi.Soa.Core.DataContracts.MonetaryAmountData, Asi.Contracts", "money"),
    ],
)
def test_tm7_types_by_their_names(name: str, kind: str) -> None:
    assert kind_of_type(name) == kind


@pytest.mark.parametrize(
    ("told", "declared", "kind"),
    [
        *(("number", "money", "money"), ("whole", "money", "money"), ("date", "money", "date")),
        *(("", "date", "date"), ("whole", "", "whole"), ("money:EUR", "money", "money:EUR")),
    ],
)
def test_tm7_the_definition_knows_money_and_the_page_knows_the_rest(
    told: str, declared: str, kind: str
) -> None:
    assert merged(told, declared) == kind


def test_a_list_is_read_without_what_is_missing_in_it() -> None:
    assert text_of({"$values": ["p", None, {"$value": "q"}, {"$value": None}]}) == "p, q"
