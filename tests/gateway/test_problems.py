"""Whatever is sent, the answer is a problem document and never a failure of ours."""

from typing import Any
from urllib.parse import quote

import pytest
from tests.gateway.client import Client, Got
from tests.gateway.rig import CAMPAIGN, OPERATOR, ORGANIZATION, Rig

STAFF_PATHS = [
    ("GET", "/v1/organization"),
    ("DELETE", "/v1/sessions/current"),
    ("GET", "/v1/iqas"),
    ("GET", "/v1/iqas/columns?path=$"),
    ("POST", "/v1/campaigns"),
    ("GET", "/v1/campaigns"),
    ("GET", "/v1/dashboard"),
]


def is_problem(got: Got, status: int) -> Any:
    assert got.status == status, got.body
    assert got.headers["content-type"] == "application/problem+json"
    document = got.json()
    assert {"type", "title", "status", "detail", "errors"} == set(document)
    assert document["status"] == status
    return document


async def test_each_kind_of_failure_is_a_problem_document(rig: Rig, staff: Client) -> None:
    is_problem(await staff.get("/v1/nothing"), 404)
    is_problem(await staff.get("/"), 404)
    wrong_method = await staff.request("PUT", "/v1/campaigns")
    is_problem(wrong_method, 405)
    assert wrong_method.headers["allow"]
    is_problem(await rig.anybody.get("/v1/campaigns"), 401)
    is_problem(await staff.post("/v1/campaigns", body=b"{"), 400)
    is_problem(await staff.post("/v1/campaigns", body=b"\xff"), 400)
    is_problem(await staff.post("/v1/campaigns", body=b"[" * 100_000), 400)
    is_problem(await staff.post("/v1/campaigns", body=b'{"name":' + b"9" * 5000 + b"}"), 400)
    is_problem(await staff.post("/v1/campaigns", {"name": "x" * 300_000}), 413)
    announced = {"content-length": "300000"}
    is_problem(await staff.post("/v1/campaigns", body=b"x" * 300_000, headers=announced), 413)
    is_problem(await staff.get("/v1/campaigns/not-an-id"), 422)
    invalid = is_problem(await staff.post("/v1/campaigns", {"audience": {"prompts": [1]}}), 422)
    fields = {each["field"] for each in invalid["errors"]}
    assert fields == {"name", "audience.prompts.0"}


@pytest.mark.parametrize(
    ("body", "field", "told"),
    [
        (b"", "body", "Field required"),
        (b"[1]", "body", "must be a JSON object"),
        (b'{"username": " "}', "username", "must not be blank"),
        (b'{"password": "' + b"x" * 501 + b'"}', "password", "must have at most 500 characters"),
    ],
)
async def test_a_field_is_always_named_in_words_of_its_own(
    rig: Rig, body: bytes, field: str, told: str
) -> None:
    document = is_problem(await rig.anybody.post("/v1/sessions", body=body), 422)
    assert {"field": field, "detail": told} in document["errors"]


@pytest.mark.parametrize(("method", "path"), STAFF_PATHS)
async def test_nobody_gets_in_without_a_token(rig: Rig, method: str, path: str) -> None:
    for token in (None, "", "guess", "é" * 10, OPERATOR):
        got = await rig.anybody.signed_in(token or "").request(method, path)
        assert is_problem(got, 401)
        assert got.headers["www-authenticate"] == "Bearer"
    basic = await rig.anybody.request(method, path, headers={"authorization": "Basic eDp5"})
    is_problem(basic, 401)


async def test_an_unexpected_failure_tells_nothing_of_the_inside(rig: Rig, staff: Client) -> None:
    async def broken(*_args: object, **_more: object) -> object:
        raise RuntimeError("a secret inside")

    rig.models.usage = broken  # type: ignore[assignment, method-assign]
    got = await staff.get("/v1/dashboard")
    is_problem(got, 500)
    assert b"secret" not in got.body
    assert b"RuntimeError" not in got.body


async def test_a_database_that_is_away_is_an_outage(rig: Rig, staff: Client) -> None:
    async def away(*_args: object, **_more: object) -> object:
        raise ConnectionRefusedError

    rig.models.usage = away  # type: ignore[assignment, method-assign]
    got = await staff.get("/v1/dashboard")
    is_problem(got, 503)
    assert got.headers["retry-after"]


async def test_nothing_is_cached_and_nothing_is_guessed(staff: Client) -> None:
    got = await staff.get("/v1/organization")
    assert got.headers["cache-control"] == "no-store"
    assert got.headers["x-content-type-options"] == "nosniff"


HOSTILE: list[Any] = [
    "a\x00b",
    "\ud800",
    "\udfff\ud800",
    "\u202e\ufeff",
    "",
    " " * 500,
    "x" * 10_000,
    10**400,
    -1,
    1e308,
    float("nan"),
    float("inf"),
    True,
    None,
    [],
    [[]],
    {},
    {"\x00": "\ud800"},
    "'; DROP TABLE campaigns; --",
    "${" * 1000,
    "${a}" * 1000,
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda v: ascii(v)[:20])
async def test_hostile_values_are_refused_or_harmless(rig: Rig, staff: Client, value: Any) -> None:
    for name in (*CAMPAIGN, "email", "mode", "from_number", "one_text_per_phone", "odd"):
        assert (await staff.post("/v1/campaigns", CAMPAIGN | {name: value})).status < 500
    for name in ("iqa_path", "phone_column", "id_column", "prompts"):
        audience = CAMPAIGN["audience"] | {name: value}
        assert (await staff.post("/v1/campaigns", CAMPAIGN | {"audience": audience})).status < 500
    login = {"username": "staff", "password": "right", "cloud_id": "DEMO"}
    for name in login:
        assert (await rig.anybody.post("/v1/sessions", login | {name: value})).status < 500
    for name in ORGANIZATION:
        got = await rig.operator.put("/v1/organizations/X", ORGANIZATION | {name: value})
        assert got.status < 500
    for name, under in (("imis", "password"), ("imis", "url"), ("twilio", "auth_token")):
        part = ORGANIZATION[name] | {under: value}
        got = await rig.operator.put("/v1/organizations/X", ORGANIZATION | {name: part})
        assert got.status < 500
    made = (await staff.post("/v1/campaigns", CAMPAIGN)).json()
    path = f"/v1/campaigns/{made['campaign_id']}"
    for body in (value, {"name": value}, {"audience": value}, {"at": value}):
        assert (await staff.patch(path, body)).status < 500
        assert (await staff.post(f"{path}/schedule", body)).status < 500


@pytest.mark.parametrize(
    "text", ["%00", "%ED%A0%80", "%FF%FE", "..%2F..%2F", "%F0%9F%92%A9", "a" * 3000, "%"]
)
async def test_hostile_addresses_are_refused_or_harmless(
    rig: Rig, staff: Client, text: str
) -> None:
    for path in (
        f"/v1/iqas?path={text}",
        f"/v1/iqas/columns?path={text}",
        f"/v1/campaigns?cursor={text}",
        f"/v1/campaigns?status={text}&limit={text}",
        f"/v1/campaigns/{text}",
        f"/v1/runs/{text}",
        f"/v1/messages/{text}",
        f"/{text}",
    ):
        got = await staff.get(path)
        assert got.status < 500, path
        assert got.status == 200 or is_problem(got, got.status)
    got = await rig.operator.put(f"/v1/organizations/{text}", ORGANIZATION)
    assert got.status < 500


async def test_the_api_describes_itself_without_anything_from_elsewhere(rig: Rig) -> None:
    got = await rig.anybody.get("/v1/openapi.json")
    assert got.status == 200
    described = got.json()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (path, method)
            assert operation["tags"], (path, method)
            assert operation["description"], (path, method)
            for status, answer in operation["responses"].items():
                if status >= "400":
                    assert list(answer["content"]) == ["application/problem+json"], (path, status)
    assert "HTTPValidationError" not in described["components"]["schemas"]
    for page in ("/docs", "/redoc", "/v1/docs"):
        assert (await rig.anybody.get(page)).status == 404


async def test_a_body_that_grows_while_it_is_sent_is_cut_off(rig: Rig, staff: Client) -> None:
    before = len(await rig.published())
    name = b'{"name":"' + b"x" * 400_000 + b'"}'
    for headers in ({}, {"content-length": "10"}, {"transfer-encoding": "chunked"}):
        is_problem(await staff.post("/v1/campaigns", body=name, headers=headers), 413)
    assert len(await rig.published()) == before


DEEP = [
    b'{"name":' * 20_000 + b"1" + b"}" * 20_000,
    b'{"audience":{"prompts":' + b"[" * 50_000 + b"]" * 50_000 + b"}}",
]


@pytest.mark.parametrize("body", DEEP, ids=["objects", "lists"])
async def test_what_is_nested_beyond_measure_is_not_read(staff: Client, body: bytes) -> None:
    got = await staff.post("/v1/campaigns", body=body)
    assert got.status in {400, 422}
    is_problem(got, got.status)


IDS = ["not-an-id", "0", "-1", "9" * 5000, "{}", "%00", "00000000-0000-0000-0000-00000000000g"]


@pytest.mark.parametrize("odd", IDS, ids=lambda odd: odd[:12])
async def test_an_id_that_is_none_is_refused_by_every_route(
    rig: Rig, staff: Client, odd: str
) -> None:
    for method, path in (
        ("GET", f"/v1/campaigns/{odd}"),
        ("PATCH", f"/v1/campaigns/{odd}"),
        ("DELETE", f"/v1/campaigns/{odd}"),
        ("POST", f"/v1/campaigns/{odd}/schedule"),
        ("GET", f"/v1/runs/{odd}/messages"),
        ("POST", f"/v1/runs/{odd}/resend"),
        ("GET", f"/v1/messages/{odd}"),
    ):
        is_problem(await staff.request(method, path, json={}), 422)
    decided = await rig.operator.post(f"/v1/operations/messages/{odd}/resolution", {})
    is_problem(decided, 422)


@pytest.mark.parametrize(
    "limit", ["0", "-1", "501", "9" * 400, "1e3", "1.5", "0x10", "\u0661", "", "null"]
)
async def test_a_limit_out_of_bounds_is_refused(staff: Client, limit: str) -> None:
    is_problem(await staff.get(f"/v1/campaigns?limit={quote(limit)}"), 422)


TIMES = [
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "2030-01-31T14:00:00",
    "2030-02-30T00:00:00Z",
    "2030-01-31T25:00:00Z",
    "2030-01-31",
    "now",
    "",
    0,
    253402300800,
    1e400,
    -1,
    True,
    [],
]


@pytest.mark.parametrize("at", TIMES, ids=str)
async def test_a_time_at_the_ends_of_time_or_without_a_zone_is_refused(
    rig: Rig, staff: Client, at: Any
) -> None:
    made = (await staff.post("/v1/campaigns", CAMPAIGN)).json()
    before = len(await rig.published())
    got = await staff.post(f"/v1/campaigns/{made['campaign_id']}/schedule", {"at": at})
    assert got.status in {400, 422}
    is_problem(got, got.status)
    assert len(await rig.published()) == before


@pytest.mark.parametrize("key", ["", "x" * 201, "a b", "\x7f", "\xe9", "\t"], ids=ascii)
async def test_an_odd_idempotency_key_is_refused_and_does_nothing(
    rig: Rig, staff: Client, key: str
) -> None:
    before = len(await rig.published())
    got = await staff.post("/v1/campaigns", CAMPAIGN, headers={"idempotency-key": key})
    is_problem(got, 422)
    assert len(await rig.published()) == before


async def test_the_longest_key_is_kept_whole(staff: Client) -> None:
    one, other = ({"idempotency-key": "k" * 199 + last} for last in "ab")
    first = (await staff.post("/v1/campaigns", CAMPAIGN, headers=one)).json()
    second = (await staff.post("/v1/campaigns", CAMPAIGN, headers=other)).json()
    assert first["campaign_id"] != second["campaign_id"]
