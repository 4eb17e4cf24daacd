"""Lists that staff send over HTTP, on the real Kafka: taken in as they come, and what follows."""

import csv
import io
from typing import Any

from pyreqwest.client import ClientBuilder
from tests.harness import Log, eventually, running
from tests.integration.test_gateway import NUMBER, Api, gateway, imis

from chassis.settings import ServiceSettings
from consent.app import make as make_consent
from contracts.events.audience import AudienceRowsUploaded
from contracts.events.consent import ConsentChanged, OptOutsImported
from projections.app import make as make_projections
from simulators.imis.app import ImisSimulator

__all__ = ["imis"]


async def send(api: Api, path: str, text: str) -> tuple[int, Any]:
    async with ClientBuilder().build() as client:
        request = client.request("POST", api.base + path).bearer_auth(api.token)
        request = request.header("content-type", "text/csv").body_bytes(text.encode())
        response = await request.build().send()
        return response.status, await response.json()


async def fetched(api: Api, path: str) -> list[dict[str, str]]:
    async with ClientBuilder().build() as client:
        request = client.request("GET", api.base + path).bearer_auth(api.token)
        content = bytes(await (await request.build().send()).bytes())
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


async def test_x11_an_uploaded_list_leaves_in_parts(
    service_settings: ServiceSettings, log: Log, imis: tuple[str, ImisSimulator]
) -> None:
    rows = "".join(f"{n},Member {n},(415) 555-{n % 10_000:04}\n" for n in range(20_000))
    async with gateway(service_settings) as (api, _service):
        await api.organization(imis[0])
        await api.sign_in()
        status, shown = await send(api, "/v1/uploads", f"ID,Name,Phone\n{rows}broken\n")
        assert (status, shown["rows"], shown["rejected_lines"]) == (201, 20_000, 1)
        parts = await log.wait_for(AudienceRowsUploaded, count=40)
        assert sum(len(each.lines) for each in parts) == 20_000
        assert [each.rows_in_all for each in sorted(parts, key=lambda each: each.part)][
            -1
        ] == 20_000
        assert {str(each.upload_id) for each in parts} == {shown["upload_id"]}


async def test_tm20_what_is_imported_is_listed_exported_and_lifted(
    service_settings: ServiceSettings, log: Log, imis: tuple[str, ImisSimulator]
) -> None:
    async with (
        gateway(service_settings) as (api, _service),
        running(make_consent(service_settings)),
        running(make_projections(service_settings)),
    ):
        await api.organization(imis[0])
        await api.sign_in()
        text = f"number,from_number\n+14155552671,{NUMBER}\n4155552672,\n12,\n"
        status, report = await send(api, "/v1/opt-outs/import", text)
        assert (status, report["taken"], report["rejected_lines"]) == (202, 2, 1)
        await log.wait_for(OptOutsImported)
        await log.wait_for(ConsentChanged, count=2)

        async def listed() -> set[str]:
            found = (await api.call("GET", "/v1/opt-outs"))[1]["items"]
            return {each["number"] for each in found}

        async def is_listed(*numbers: str) -> bool:
            return await listed() == set(numbers)

        await eventually(lambda: is_listed("+14155552671", "+14155552672"))
        exported = await fetched(api, "/v1/opt-outs.csv")
        assert {each["number"] for each in exported} == {"'+14155552671", "'+14155552672"}
        wish = {"number": "+14155552672"}
        assert (await api.call("POST", "/v1/opt-ins", wish))[0] == 202
        await eventually(lambda: is_listed("+14155552671"))
        again = f"number,from_number\n+14155552671,{NUMBER}\n"
        assert (await send(api, "/v1/opt-outs/import", again))[0] == 202
    assert log.dead == []
