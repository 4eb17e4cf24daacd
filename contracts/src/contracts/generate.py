"""Writes the contracts as JSON Schema and AsyncAPI, and the table of topics of the docs.

python -m contracts.generate            write them; refuses a narrowing change
python -m contracts.generate --check    fail when they are not what the code says
"""

import json
import sys
from pathlib import Path
from typing import Any

from contracts.compatibility import narrowings
from contracts.events import ALL_EVENTS, BY_TYPE, type_string
from contracts.events.base import Event
from contracts.personal import personal_fields
from contracts.topics import TOPICS, Topic

ROOT = Path(__file__).parents[3]
SCHEMAS = Path("contracts/schemas")
ASYNCAPI = Path("contracts/asyncapi.json")
TABLE = Path("docs/architecture.md")
BEGIN, END = "<!-- topics: begin -->", "<!-- topics: end -->"


def schema_of(event: type[Event]) -> dict[str, Any]:
    """Return an event's JSON Schema, with its personal fields marked."""
    schema = event.model_json_schema(mode="serialization")
    for name in personal_fields(event):
        schema["properties"][name]["x-personal"] = True
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def reading_schema_of(event: type[Event]) -> dict[str, Any]:
    """Return what a reader insists on: a field with a default may be missing."""
    return event.model_json_schema(mode="validation")


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3 document of all topics."""
    channels = {topic.name: _channel(topic) for topic in TOPICS}
    operations: dict[str, Any] = {}
    for topic in TOPICS:
        reference = {"$ref": f"#/channels/{_escaped(topic.name)}"}
        operations[f"{topic.producer}.sends.{topic.name}"] = {
            "action": "send",
            "channel": reference,
        }
        for consumer in topic.consumers:
            operations[f"{consumer}.receives.{topic.name}"] = {
                "action": "receive",
                "channel": reference,
            }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Text Manager", "version": "1.0.0"},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {
                type_string(event): {
                    "name": type_string(event),
                    "summary": (event.__doc__ or "").strip(),
                    "headers": {"$ref": "#/components/schemas/CloudEventsHeaders"},
                    "payload": {"$ref": f"schemas/{type_string(event)}.json"},
                }
                for event in ALL_EVENTS
            },
            "schemas": {"CloudEventsHeaders": _headers()},
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    names = [type_string(event) for event in ALL_EVENTS if event.topic == topic.name]
    return {
        "address": topic.name,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"kafka": {"partitions": topic.partitions, "topicConfiguration": topic.config}},
    }


def _headers() -> dict[str, Any]:
    needed = ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_subject"]
    optional = ["ce_correlationid", "ce_causationid", "traceparent", "content-type"]
    return {
        "type": "object",
        "required": needed,
        "properties": {name: {"type": "string"} for name in needed + optional},
    }


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def topic_table() -> str:
    """Return the Markdown table of topics."""
    lines = [
        "| topic | producer | consumers | key | partitions | kept | events |",
        "|---|---|---|---|---|---|---|",
    ]
    for topic in TOPICS:
        events = ", ".join(e.__name__ for e in ALL_EVENTS if e.topic == topic.name) or "–"
        consumers = ", ".join(topic.consumers) or "–"
        lines.append(
            f"| `{topic.name}` | {topic.producer} | {consumers} | {topic.key} "
            f"| {topic.partitions} | {_kept(topic)} | {events} |"
        )
    return "\n".join(lines)


def _kept(topic: Topic) -> str:
    if topic.config.get("cleanup.policy") == "compact":
        return "the newest of each key"
    milliseconds = int(topic.config["retention.ms"])
    return "for ever" if milliseconds < 0 else f"{milliseconds // 86_400_000} days"


def files() -> dict[Path, str]:
    """Return each generated file's path in the repository, and its text."""
    made = {SCHEMAS / f"{name}.json": _json(schema_of(event)) for name, event in BY_TYPE.items()}
    made[ASYNCAPI] = _json(asyncapi())
    return made


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def with_table(page: str) -> str:
    """Return the page with the present table of topics between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{topic_table()}\n{END}{after}"


def changes(root: Path = ROOT) -> list[str]:
    """Say each file that is not what the code says."""
    stale = [
        str(path)
        for path, text in files().items()
        if not (root / path).exists() or (root / path).read_text("utf-8") != text
    ]
    page = root / TABLE
    if page.exists() and page.read_text("utf-8") != with_table(page.read_text("utf-8")):
        stale.append(str(TABLE))
    known = {f"{name}.json" for name in BY_TYPE}
    stale += [f"{each} (its type is gone)" for each in _extra(root / SCHEMAS, known)]
    return stale


def _extra(folder: Path, known: set[str]) -> list[str]:
    return sorted(path.name for path in folder.glob("*.json") if path.name not in known)


def broken_promises(root: Path = ROOT) -> list[str]:
    """Say each narrowing of a schema that was published before."""
    broken = []
    for name, event in BY_TYPE.items():
        path = root / SCHEMAS / f"{name}.json"
        if path.exists():
            old = json.loads(path.read_text("utf-8"))
            # What was written had every field; a reader may insist on no other than those.
            broken += [f"{name}: {each}" for each in narrowings(old, reading_schema_of(event))]
    return broken


def main(arguments: list[str]) -> int:
    """Write or check the files; returns the exit code."""
    broken = broken_promises()
    if broken:
        print("These changes would make old events unreadable; add a new version instead:")  # noqa: T201
        print("\n".join(f"  {each}" for each in broken))  # noqa: T201
        return 1
    if "--check" in arguments:
        stale = changes()
        if stale:
            print("Not what the code says; run `make contracts`:")  # noqa: T201
            print("\n".join(f"  {each}" for each in stale))  # noqa: T201
        return 1 if stale else 0
    for path, text in files().items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, "utf-8")
    page = ROOT / TABLE
    if page.exists():
        page.write_text(with_table(page.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
