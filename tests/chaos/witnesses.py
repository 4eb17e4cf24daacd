"""Asks every witness: the outsides' own records, the log, and the read models."""

import asyncio
import json
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any
from urllib.parse import quote
from uuid import UUID

from tests.chaos.records import Accepted, Activity, Records, Said, SystemSays
from tests.chaos.staff import Staff
from tests.chaos.world import World

from contracts.events.audience import Reason, RecipientsResolved
from contracts.events.base import Event
from contracts.events.consent import Consent, ConsentChanged
from contracts.events.message import (
    MessageStatus,
    MessageStatusChanged,
    MessageSubmitted,
    RecipientExcluded,
    Unresolved,
)
from contracts.topics import DEAD_LETTERS
from textmanager.demo.api import Gateway
from textmanager.eventlog import Logged, read_log
from textmanager.plan import Addresses
from textmanager.probe import fetch

TOPICS = (
    "recipients.resolved",
    "recipient.excluded",
    "message.submitted",
    "message.status-changed",
    "consent.changed",
)


async def gather(staff: Staff, *, at: Addresses, segments_per_second: float) -> Records:
    """Return what all of them say now."""
    campaigns = staff.campaigns
    world, gateway = campaigns.world, campaigns.gateway
    says = await _apart(at.kafka)
    job_runs = []
    if campaigns.job is not None:
        listed = await gateway.get(f"/v1/campaigns/{campaigns.job.campaign_id}/runs")
        job_runs = listed["items"]
    says.occurrences = [str(run["occurrence"]) for run in job_runs]
    for run_id in dict.fromkeys([*campaigns.runs, *(str(run["run_id"]) for run in job_runs)]):
        if (await gateway.get(f"/v1/runs/{run_id}"))["state"] != "completed":
            says.unfinished.append(run_id)
        says.shown |= await from_read_models(gateway, run_id)
    return Records(
        expected=campaigns.expected,
        accepted=taken_by_twilio(world),
        activities=held_by_imis(world),
        stopped=stops_texted(world),
        says=says,
        segments_per_second=segments_per_second,
        stalls=tuple(world.stalls),
        holds=staff.holds,
        cancelled=staff.cancelled,
        due=campaigns.due,
        reports_due=campaigns.reports_due,
        reports=await reports_mailed(at.mail_page),
    )


async def reports_mailed(mail_page: str) -> dict[str, int]:
    """Return how many reports each address got; a report has its table attached."""
    answer = await fetch("GET", f"{mail_page}/control/mails", timeout_seconds=15.0)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for mail in json.loads(answer.body)["mails"]:
        if mail["attachments"]:
            for address in mail["to"]:
                found[address].add(mail["message_id"])
    return {address: len(mails) for address, mails in found.items()}


async def _apart(kafka_url: str) -> SystemSays:
    """Read the log in a process of its own: decoding it would hold up the simulators in ours."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, _read_log, kafka_url)


def _read_log(kafka_url: str) -> SystemSays:
    return asyncio.run(from_log(kafka_url))


def taken_by_twilio(world: World) -> list[Accepted]:
    """Return every POST that was accepted, with what has become of it."""
    store = world.twilio.store
    return [
        Accepted(
            sid=entry["sid"],
            to=entry["to"],
            body=entry["body"],
            status=store.by_sid[entry["sid"]].status,
            segments=entry["num_segments"],
            at=entry["accepted_at"],
            sender=entry["from"],
            arrived=entry["arrived_at"],
        )
        for entry in store.messages.entries()
    ]


def held_by_imis(world: World) -> list[Activity]:
    """Return every activity about a text."""
    return [
        Activity(each["seqn"], each["party"], each["description"], each["note"])
        for each in world.imis.ledger.activities.values()
        if each["type"] == "TEXTMSG"
    ]


def stops_texted(world: World) -> dict[str, float]:
    """Return who texted a stop, or whom Twilio blocked; under test nobody texts anything else."""
    stopped: dict[str, float] = {}
    for each in world.twilio.store.events.entries():
        match each["kind"]:
            case "inbound":
                stopped.setdefault(each["from"], each["at"])
            case "opt_out":
                stopped.setdefault(each["pair"][2], each["at"])
    return stopped


async def from_log(kafka_url: str) -> SystemSays:
    """Fold the whole log, each message by its events' sequence."""
    fold = _Fold()
    async for logged in read_log(kafka_url, TOPICS):
        fold.take(logged)
    async for _ in read_log(kafka_url, [DEAD_LETTERS]):
        fold.says.dead_letters += 1
    return fold.result()


class _Fold:
    def __init__(self) -> None:
        self.says = SystemSays()
        self._statuses: dict[UUID, tuple[int, Said]] = {}
        self._consents: defaultdict[str, set[tuple[float, bool]]] = defaultdict(set)
        self._unknown: dict[UUID, tuple[int, bool]] = {}

    def take(self, logged: Logged) -> None:
        event: Event = logged.event
        match event:
            case RecipientsResolved():
                for each in event.recipients:
                    self.says.resolved[each.message_id] = (each.to, each.text)
            case RecipientExcluded(reason=Reason.OPTED_OUT):
                self.says.opted_out.add(event.message_id)
            case RecipientExcluded(reason=Reason.CANCELLED):
                self.says.cancelled.add(event.message_id)
            case MessageSubmitted():
                known = self._unknown.get(event.message_id, (-1, False))
                now = event.sequence, isinstance(event.outcome, Unresolved)
                self._unknown[event.message_id] = max(known, now)
            case MessageStatusChanged():
                self._status(event)
            case ConsentChanged():
                stopped = event.consent is Consent.OPTED_OUT
                self._consents[event.number].add((logged.stored_at, stopped))
            case _:
                pass

    def _status(self, event: MessageStatusChanged) -> None:
        known = self._statuses.get(event.message_id)
        if known is None or event.sequence > known[0]:
            said = Said(str(event.status), event.sid, event.error_code)
            self._statuses[event.message_id] = (event.sequence, said)

    def result(self) -> SystemSays:
        says = self.says
        says.said = {each: said for each, (_, said) in self._statuses.items()}
        says.consents = {number: sorted(changes) for number, changes in self._consents.items()}
        says.unresolved = {each for each, (_, unknown) in self._unknown.items() if unknown}
        says.unresolved |= {
            each for each, said in says.said.items() if said.status == MessageStatus.UNKNOWN
        }
        return says


async def from_read_models(gateway: Gateway, run_id: str) -> dict[UUID, str]:
    """Return each message's status as the REST API shows it, page by page."""
    found: dict[UUID, str] = {}
    cursor = ""
    while True:
        page: dict[str, Any] = await gateway.get(f"/v1/runs/{run_id}/messages?limit=500{cursor}")
        found |= {UUID(item["message_id"]): item["status"] for item in page["items"]}
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={quote(page['next_cursor'])}"
