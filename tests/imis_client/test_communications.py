"""TM-8: entries of the Communication Log, which only EMS has, and which no date or key marks."""

import json
from datetime import timedelta

import pytest
from pydantic import SecretStr
from tests.imis_client.sites import OpenSite, Site

from imis_client import BadRequest, Forbidden, ImisClient, ImisError, InDoubt, NotFound, TryAgain
from imis_client.communications import html_in, id_in, is_recipient, log_body, recipient_body

PARTY, NUMBER, HTML = "100001", "+12025550143", "<p>Hello José 🌞</p>"


def test_the_bodies_name_their_contracts() -> None:
    contract = "Asi.Soa.Communications.DataContracts.{}Data, Asi.Contracts"
    assert json.loads(log_body("Spring fair", HTML)) == {
        "$type": contract.format("CommunicationLog"),
        "Subject": "Spring fair",
        "Html": HTML,
    }
    assert json.loads(recipient_body("7", PARTY, NUMBER)) == {
        "$type": contract.format("CommunicationLogRecipient"),
        "CommunicationLogId": "7",
        "PartyId": PARTY,
        "Address": NUMBER,
        "MessageType": 1,
    }


def test_an_entity_is_read_in_its_own_shape_and_in_the_generic_one() -> None:
    own = {"CommunicationLogId": {"$type": "System.Int32", "$value": "7"}, "Html": "x"}
    generic = {
        "Identity": {"IdentityElements": {"$values": ["7"]}},
        "Properties": {"$values": [{"Name": "Html", "Value": "x"}, {"Name": "PartyId"}]},
    }
    for each in (own, generic):
        assert (id_in(each), html_in(each)) == ("7", "x")
    assert not is_recipient(generic, "7", PARTY)
    assert is_recipient(own | {"PartyId": PARTY}, "7", PARTY)
    assert (id_in({}), html_in({"Html": None})) == ("", "")


async def test_an_entry_is_written_put_on_a_record_and_found(ems: Site) -> None:
    log_id = await ems.client.create_log("Spring fair", HTML)
    await ems.client.create_log("Another", HTML)
    assert not await ems.client.log_is_on_record(log_id, PARTY)
    await ems.client.add_log_recipient(log_id, PARTY, NUMBER)
    assert await ems.client.log_is_on_record(log_id, PARTY)
    assert not await ems.client.log_is_on_record(log_id, "100002")
    assert [each async for each in ems.client.find_logs("Spring fair")] == [(log_id, HTML)]
    assert [each async for each in ems.client.find_logs("Nothing of the kind")] == []


async def test_more_than_a_page_of_entries_is_gone_through(ems: Site) -> None:
    for _ in range(502):
        ems.simulator.ledger.communicate({"subject": "Fair", "html": HTML, "user": "staff"})
    assert len([each async for each in ems.client.find_logs("Fair")]) == 502


async def test_2017_has_no_communication_log(open_site: OpenSite) -> None:
    old = await open_site("2017")
    with pytest.raises(NotFound):
        await old.client.create_log("Spring fair", HTML)


@pytest.mark.parametrize("wrong", [("7", PARTY), ("1", "1")])
async def test_what_imis_does_not_know_is_refused(ems: Site, wrong: tuple[str, str]) -> None:
    await ems.client.create_log("Spring fair", HTML)
    with pytest.raises(BadRequest) as refusal:
        await ems.client.add_log_recipient(*wrong, NUMBER)
    assert "does not exist" in refusal.value.detail


@pytest.mark.parametrize(
    ("fault", "error", "committed"),
    [
        ("429", TryAgain, 0),
        ("403", Forbidden, 0),
        ("unsuccessful_200", BadRequest, 0),
        ("500_before", InDoubt, 0),
        ("500_after", InDoubt, 1),
        ("drop_after_commit", InDoubt, 1),
        ("html_page", InDoubt, 0),
    ],
)
@pytest.mark.parametrize("route", ["CommunicationLog", "CommunicationLogRecipient"])
async def test_a_failed_entry_says_whether_it_may_be_repeated(
    ems: Site, route: str, fault: str, error: type[ImisError], committed: int
) -> None:
    log_id = await ems.client.create_log("Spring fair", HTML)
    ems.simulator.faults.add(fault, times=1, match={"path": f"/api/{route}"})
    with pytest.raises(error):
        if route == "CommunicationLog":
            await ems.client.create_log("Spring fair", HTML)
        else:
            await ems.client.add_log_recipient(log_id, PARTY, NUMBER)
    assert len(ems.simulator.ledger.communications) == 1 + committed


@pytest.mark.parametrize(
    ("fault", "error", "deleted"),
    [
        ("429", TryAgain, 0),
        ("403", Forbidden, 0),
        ("500_before", InDoubt, 0),
        ("500_after", InDoubt, 1),
        ("drop_after_commit", InDoubt, 1),
    ],
)
async def test_a_failed_deletion_says_whether_it_may_have_been_done(
    site: Site, fault: str, error: type[ImisError], deleted: int
) -> None:
    seqn = str(site.simulator.ledger.create({"PartyId": PARTY, "ACTIVITY_TYPE": "CALL"}, "staff"))
    site.simulator.faults.add(fault, times=1, match={"method": "DELETE"})
    with pytest.raises(error):
        await site.client.delete_activity(seqn)
    found = await site.client.activity(seqn)
    assert (found is None) == bool(deleted)
    if found is not None:
        assert (found.seqn, found.party_id, found.type) == (seqn, PARTY, "CALL")


async def test_a_deletion_without_an_answer_is_in_doubt(site: Site) -> None:
    seqn = str(site.simulator.ledger.create({"PartyId": PARTY, "ACTIVITY_TYPE": "CALL"}, "staff"))
    site.simulator.faults.add("timeout_after_commit", times=1, match={"method": "DELETE"})
    login, short = SecretStr("service-pass"), timedelta(seconds=0.3)
    async with ImisClient(
        site.url, "textmanager", login, site.client.version, timeout=short
    ) as client:
        with pytest.raises(InDoubt):
            await client.delete_activity(seqn)
        assert await client.activity(seqn) is None


async def test_tm23_whether_an_activity_type_is_set_up(site: Site) -> None:
    assert await site.client.activity_type_exists("TEXTUNSUB") is True
    site.simulator.settings.activity_types -= {"TEXTUNSUB"}
    assert await site.client.activity_type_exists("TEXTUNSUB") is False


@pytest.mark.parametrize("fault", ["403", "404_no_route"])
async def test_tm23_a_site_that_does_not_tell_its_activity_types_says_neither(
    site: Site, fault: str
) -> None:
    if fault == "404_no_route":
        site.simulator.settings.tells_activity_types = False
    else:
        site.simulator.faults.add(fault, match={"path": "/api/LegacyActivityType/*"})
    assert await site.client.activity_type_exists("TEXTMSG") is None
