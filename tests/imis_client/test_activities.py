import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import SecretStr
from tests.imis_client.sites import Site

from imis_client import Activity, BadRequest, Forbidden, ImisClient, ImisError, InDoubt, TryAgain
from imis_client.activities import body_of
from simulators.imis import catalogue

SENT_AT = datetime(2024, 1, 31, 14, 5, 0, 250_000, tzinfo=UTC)
TEXT = 'Hello "José" ł 🌞\n\\ …'


def text_sent(**changes: Any) -> Activity:
    wanted = Activity(
        party_id="100001",
        type="TEXTMSG",
        transaction_date=SENT_AT,
        description="+12025550143",
        note=TEXT,
    )
    return replace(wanted, **changes)


def test_the_body_is_the_documented_one() -> None:
    body = json.loads(body_of(text_sent(uf_1="+1", extra={"UNITS": "1"})))
    assert body["EntityTypeName"] == "Activity"
    assert body["PrimaryParentIdentity"]["IdentityElements"]["$values"] == ["100001"]
    assert {p["Name"]: p["Value"] for p in body["Properties"]["$values"]} == {
        "PartyId": "100001",
        "ACTIVITY_TYPE": "TEXTMSG",
        "TRANSACTION_DATE": "2024-01-31T14:05:00",
        "DESCRIPTION": "+12025550143",
        "NOTE": TEXT,
        "UF_1": "+1",
        "CATEGORY": "Text Manager",
        "UNITS": "1",
    }
    assert {p["$type"] for p in body["Properties"]["$values"]} == {
        "Asi.Soa.Core.DataContracts.GenericPropertyData, Asi.Contracts"
    }


@pytest.mark.parametrize(
    "moment", [SENT_AT.replace(tzinfo=None), SENT_AT.astimezone(timezone(timedelta(hours=5)))]
)
def test_dates_go_out_as_naive_utc(moment: datetime) -> None:
    assert b'"2024-01-31T14:05:00"' in body_of(text_sent(transaction_date=moment))


async def test_an_activity_is_written_found_and_deleted(site: Site) -> None:
    seqn = await site.client.create_activity(text_sent())
    await site.client.create_activity(text_sent(party_id="100002"))
    await site.client.create_activity(text_sent(type="TEXTUNSUB", description="", uf_1="+1202"))
    [found] = await site.client.find_activities("100001", "TEXTMSG")
    assert (found.seqn, found.description, found.note) == (seqn, "+12025550143", TEXT)
    assert text_sent().is_the_same_as(found)
    assert not text_sent(transaction_date=SENT_AT + timedelta(seconds=1)).is_the_same_as(found)
    assert site.simulator.ledger.activities[int(seqn)]["category"] == "Text Manager"
    assert await site.client.delete_activity(seqn)
    assert not await site.client.delete_activity(seqn)
    assert await site.client.find_activities("100001", "TEXTMSG") == []


async def test_more_than_a_page_of_activities_is_found(site: Site) -> None:
    for _ in range(502):
        site.simulator.ledger.create({"PartyId": "100001", "ACTIVITY_TYPE": "TEXTMSG"}, "staff")
    assert len(await site.client.find_activities("100001", "TEXTMSG")) == 502


@pytest.mark.parametrize("change", [{"type": "NOSUCH"}, {"party_id": "1"}])
async def test_values_that_imis_does_not_know_are_refused(
    site: Site, change: dict[str, str]
) -> None:
    with pytest.raises(BadRequest) as refusal:
        await site.client.create_activity(text_sent(**change))
    assert "does not exist" in refusal.value.detail


@pytest.mark.parametrize(
    ("fault", "params", "error", "committed"),
    [
        ("429", {"retry_after": 3}, TryAgain, 0),
        ("403", {}, Forbidden, 0),
        ("unsuccessful_200", {}, BadRequest, 0),
        ("500_before", {}, InDoubt, 0),
        ("500_before", {"status": 503}, InDoubt, 0),
        ("500_after", {}, InDoubt, 1),
        ("drop_after_commit", {}, InDoubt, 1),
        ("html_page", {}, InDoubt, 0),
        ("html_page", {"status": 502}, InDoubt, 0),
    ],
)
async def test_a_failed_write_says_whether_it_may_be_repeated(
    site: Site, fault: str, params: dict[str, int], error: type[ImisError], committed: int
) -> None:
    site.simulator.faults.add(fault, match={"path": "/api/Activity"}, params=params)
    with pytest.raises(error) as failure:
        await site.client.create_activity(text_sent())
    assert len(site.simulator.ledger.activities) == committed
    if fault == "429":
        assert isinstance(failure.value, TryAgain)
        assert failure.value.retry_after == 3


@pytest.mark.parametrize(("fault", "committed"), [("timeout_after_commit", 1), ("hang", 0)])
async def test_a_write_without_an_answer_is_in_doubt_and_can_be_looked_up(
    site: Site, fault: str, committed: int
) -> None:
    site.simulator.faults.add(fault, times=1, match={"path": "/api/Activity"})
    short = timedelta(seconds=0.3)
    login = SecretStr("service-pass")
    async with ImisClient(
        site.url, "textmanager", login, site.client.version, timeout=short
    ) as client:
        with pytest.raises(InDoubt):
            await client.create_activity(text_sent())
        found = await client.find_activities("100001", "TEXTMSG")
    assert [text_sent().is_the_same_as(activity) for activity in found] == [True] * committed


@pytest.mark.parametrize("fault", ["500_before", "html_page", "429"])
async def test_a_failed_reading_can_be_repeated(site: Site, fault: str) -> None:
    site.simulator.faults.add(fault, times=1, match={"path": "/api/[qi]*"})
    with pytest.raises(TryAgain):
        await site.client.rows(catalogue.MEMBERS, offset=0)
    assert (await site.client.rows(catalogue.MEMBERS, offset=0)).rows


async def test_a_refused_live_token_costs_no_write(site: Site) -> None:
    site.simulator.faults.add("401_live_token", times=1, match={"path": "/api/Activity"})
    await site.client.create_activity(text_sent())
    assert site.simulator.ledger.created == 1
    assert site.logins == 2
