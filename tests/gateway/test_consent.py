"""Opting out and in by staff, and texts that a person has to read."""

import csv
import io
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.gateway.client import Client
from tests.gateway.fakes import NOON
from tests.gateway.rig import NUMBER, Rig
from tests.gateway.test_runs import DEMO

from contracts.events.consent import (
    Consent,
    ConsentCause,
    ConsentDecided,
    ReviewDecided,
    ReviewStatus,
)
from readmodels.views import OptOutView, ReviewView


def opted_out(number: str = "+14155552671", **changes: Any) -> OptOutView:
    whole: dict[str, Any] = {
        "consent_id": uuid4(),
        "number": number,
        "from_number": NUMBER,
        "cause": ConsentCause.KEYWORD,
        "word": "STOP",
        "by": "SM1",
        "changed_at": NOON,
    }
    return OptOutView(**whole | changes)


def a_review(**changes: Any) -> ReviewView:
    whole: dict[str, Any] = {
        "review_id": uuid4(),
        "number": "+14155552671",
        "from_number": NUMBER,
        "text": "please stop texting me",
        "received_at": NOON,
        "status": ReviewStatus.OPEN,
        "by": "",
    }
    return ReviewView(**whole | changes)


@pytest.mark.parametrize(("path", "consent"), [("opt-outs", "opted_out"), ("opt-ins", "opted_in")])
async def test_tm20_staff_opt_a_number_out_and_in(
    rig: Rig, staff: Client, path: str, consent: str
) -> None:
    body = {"number": "(415) 555-2671", "from_number": NUMBER, "note": "by phone"}
    got = await staff.post(f"/v1/{path}", body)
    assert got.status == 202
    decided = (await rig.published())[-1].event
    assert isinstance(decided, ConsentDecided)
    assert got.json() == {
        "decision_id": str(decided.decision_id),
        "number": "+14155552671",
        "from_number": NUMBER,
        "consent": consent,
    }
    assert (decided.consent, decided.by, decided.note) == (Consent(consent), "staff", "by phone")
    whole = await staff.post(f"/v1/{path}", {"number": "+442072343456"})
    assert whole.json()["from_number"] == ""


async def test_tm20_a_repeat_of_a_decision_is_one_decision(rig: Rig, staff: Client) -> None:
    keyed = {"idempotency-key": "once"}
    one = await staff.post("/v1/opt-outs", {"number": "+14155552671"}, headers=keyed)
    count = len(await rig.published())
    two = await staff.post("/v1/opt-outs", {"number": "+14155552671"}, headers=keyed)
    assert (one.body, two.headers["idempotent-replayed"]) == (two.body, "true")
    assert len(await rig.published()) == count


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"number": "12"}, "number"),
        ({"number": "+14155552671", "from_number": "+15005550006"}, "from_number"),
        ({"number": "+14155552671", "form_number": NUMBER}, "form_number"),
        ({}, "number"),
    ],
)
async def test_tm20_a_number_that_is_none_is_refused(
    rig: Rig, staff: Client, body: dict[str, str], field: str
) -> None:
    got = await staff.post("/v1/opt-outs", body)
    assert got.status == 422
    assert field in {each["field"] for each in got.json()["errors"]}
    assert len(await rig.published()) == 1


async def test_tm20_opt_outs_are_listed_in_pages_and_exported(
    rig: Rig, staff: Client, stranger: Client
) -> None:
    mine = [opted_out(f"+1415555{n}") for n in range(2671, 2676)]
    rig.models.opted_out[DEMO] = mine
    seen, cursor = [], ""
    while True:
        page = (await staff.get(f"/v1/opt-outs?limit=2{cursor}")).json()
        seen += [each["number"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert sorted(seen) == [each.number for each in mine]
    got = await staff.get("/v1/opt-outs.csv")
    assert got.headers["content-disposition"] == 'attachment; filename="opt-outs.csv"'
    rows = list(csv.DictReader(io.StringIO(got.body.decode("utf-8-sig"))))
    assert sorted(each["number"] for each in rows) == [f"'{each.number}" for each in mine]
    # What was exported can be imported as it is.
    headers = {"content-type": "text/csv"}
    again = await staff.post("/v1/opt-outs/import", body=got.body, headers=headers)
    assert (again.json()["taken"], again.json()["rejected"]) == (5, [])
    assert (await stranger.get("/v1/opt-outs")).json()["items"] == []
    assert (await stranger.get("/v1/opt-outs.csv")).body.count(b"\n") == 1


async def test_tm20_a_person_decides_what_a_text_meant_once(rig: Rig, staff: Client) -> None:
    review, other = a_review(), a_review(status=ReviewStatus.DISMISSED, by="ann")
    rig.models.to_read[DEMO] = [review, other]
    listed = (await staff.get("/v1/reviews?status=open")).json()["items"]
    assert [(each["text"], each["status"]) for each in listed] == [(review.text, "open")]
    path = f"/v1/reviews/{review.review_id}"
    got = await staff.post(path, {"status": "opted_out"})
    assert (got.status, got.json()["status"]) == (202, "opted_out")
    decided = (await rig.published())[-1].event
    assert isinstance(decided, ReviewDecided)
    assert (decided.review_id, decided.status, decided.by) == (
        review.review_id,
        ReviewStatus.OPTED_OUT,
        "staff",
    )
    count = len(await rig.published())
    late = await staff.post(f"/v1/reviews/{other.review_id}", {"status": "opted_out"})
    assert (late.status, "dismissed, by ann" in late.json()["detail"]) == (409, True)
    same = await staff.post(f"/v1/reviews/{other.review_id}", {"status": "dismissed"})
    assert same.status == 202
    assert len(await rig.published()) == count
    assert (await staff.post(path, {"status": "open"})).status == 422
    assert (await staff.post(f"/v1/reviews/{UUID(int=1)}", {"status": "dismissed"})).status == 404
