"""The same read models in memory and in the projections' tables."""

from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import insert
from tests.gateway.fakes import NOON
from tests.gateway.models import FakeReadModels
from tests.gateway.told import (
    ACTIVITY,
    CHARGED,
    ERRORS,
    HELD,
    HOURS,
    MESSAGES_OF_RUN,
    MINE,
    OPT_OUTS,
    REVIEWS_OF_MINE,
    RUN,
    SKIPPED_ONCE,
    USED,
)

from chassis.settings import ServiceSettings
from chassis.store import Store
from gateway.adapters.readmodels import StoredReadModels
from gateway.ports import ReadModels
from readmodels.tables import (
    ACTIVITIES,
    ACTIVITIES_HELD,
    CAMPAIGNS,
    CHARGES,
    CONSENTS,
    MARKERS,
    MESSAGES,
    METADATA,
    REVIEWS,
    RUN_COUNTS,
    RUN_ERRORS,
    RUN_HOURS,
    RUNS,
    SKIPPED,
    STORE_NAME,
)


class Filled(Protocol):
    async def fill(self) -> ReadModels:
        """Return read models that hold the run above, as mine."""


class InMemory:
    async def fill(self) -> ReadModels:
        models = FakeReadModels()
        models.runs[MINE, RUN.run_id] = RUN
        models.found[MINE] = MESSAGES_OF_RUN
        models.usages[MINE] = USED
        models.errors[RUN.run_id] = ERRORS
        models.hours[RUN.run_id] = HOURS
        models.written[RUN.run_id] = [ACTIVITY]
        models.charged[MINE] = CHARGED
        models.names[MINE] = {RUN.campaign_id: "Renewal"}
        models.opted_out[MINE] = OPT_OUTS
        models.to_read[MINE] = REVIEWS_OF_MINE
        models.held[MINE] = HELD
        models.skips[MINE, RUN.campaign_id] = SKIPPED_ONCE
        models.markers[MINE] = 7
        return models


class Stored:
    def __init__(self, folder: Path) -> None:
        self.settings = ServiceSettings(
            kafka_url="localhost:1",
            database_url=f"sqlite:///{folder}",
            secret_key=SecretStr(Fernet.generate_key().decode()),
        )
        self.models = StoredReadModels(self.settings)

    async def fill(self) -> ReadModels:
        store = Store(self.settings, name=STORE_NAME, metadata=METADATA)
        await store.start()
        async with store.transaction() as transaction:
            for table, rows in rows_of_all().items():
                await transaction.execute(insert(METADATA.tables[table]), rows)
        await store.stop()
        return self.models


def rows_of_all() -> dict[str, list[dict[str, Any]]]:
    about = {"organization_id": MINE, "run_id": RUN.run_id, "campaign_id": RUN.campaign_id}
    run = {
        **about,
        "name": RUN.name,
        "mode": "LIVE",
        "due_at": NOON,
        "state": "sending",
        "state_sequence": 1,
        "rows": 3,
        "recipients": 2,
        "rejected": 1,
        "excluded": 0,
        "segments": 3,
    }
    counts = [
        {
            "run_id": RUN.run_id,
            "status": status,
            "organization_id": MINE,
            "messages": n,
            "segments": n,
        }
        for status, n in {**RUN.by_status, "preparing": 0}.items()
    ]
    messages = [
        {
            **about,
            "message_id": each.message_id,
            "recipient_id": uuid4(),
            "row": each.row,
            "imis_id": each.imis_id,
            "to": each.to,
            "text": each.text,
            "segments": each.segments,
            "status": each.status,
            "status_at": each.changed_at,
            "reason": each.reason,
            "error_code": each.error_code,
            "sid": each.sid,
            "attempted_at": each.attempted_at,
        }
        for each in MESSAGES_OF_RUN
    ]
    activities = [
        {
            "message_id": each.message_id,
            "kind": "TEXTMSG",
            "organization_id": MINE,
            "run_id": each.run_id,
            "imis_id": each.imis_id,
            "state": each.activity_state,
            "seqn": each.activity,
            "at": NOON,
            "sequence": 1,
        }
        for each in MESSAGES_OF_RUN
        if each.activity_state is not None
    ]
    charges = [
        {
            "organization_id": MINE,
            "quarter": each.start.timestamp() // 900,
            **each.model_dump(include={"campaign_id", "messages", "segments"}),
            "outcome": each.outcome.value,
        }
        for each in CHARGED
    ]
    errors = [
        {
            "run_id": RUN.run_id,
            "organization_id": MINE,
            "status": each.status.value,
            "error_code": each.error_code or 0,
            "reason": each.reason or "",
            "messages": each.messages,
            "segments": each.segments,
        }
        for each in ERRORS
    ]
    hours = [
        {
            "run_id": RUN.run_id,
            "organization_id": MINE,
            "hour": each.hour.timestamp() // 3600,
            "status": each.status.value,
            "messages": each.messages,
            "segments": each.segments,
        }
        for each in HOURS
    ]
    mine = {"organization_id": MINE, "sequence": 1}
    consents = [{**mine, **each.model_dump(), "consent": "opted_out"} for each in OPT_OUTS]
    back_in = {**consents[0], "consent_id": uuid4(), "consent": "opted_in"}
    named = {**mine, "campaign_id": RUN.campaign_id, "name": "Renewal", "kind": "one_time"}
    skipped = {**mine, "campaign_id": RUN.campaign_id, **SKIPPED_ONCE[0].model_dump()}
    return {
        RUNS.name: [run],
        RUN_COUNTS.name: counts,
        MESSAGES.name: messages,
        ACTIVITIES.name: activities,
        CHARGES.name: charges,
        RUN_ERRORS.name: errors,
        RUN_HOURS.name: hours,
        CONSENTS.name: [*consents, back_in],
        REVIEWS.name: [{**mine, **each.model_dump()} for each in REVIEWS_OF_MINE],
        ACTIVITIES_HELD.name: [{**mine, **HELD.model_dump()}],
        CAMPAIGNS.name: [named | {"status": "deleted"}],
        SKIPPED.name: [skipped],
        MARKERS.name: [{"organization_id": MINE, "changes": 7}],
    }
