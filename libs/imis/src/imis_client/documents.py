"""The document tree, as the IQA picker walks it."""

from typing import Any

from imis_client.errors import NotFound
from imis_client.models import Entry
from imis_client.wire import objects, text_of

FOLDER_TYPES = ("FOL", "CFL")
QUERY_TYPE = "IQD"


def folder_id(document: Any, path: str) -> str:
    """Give the id of the folder that FindByPath found."""
    if not isinstance(document, dict):
        raise NotFound(f"iMIS has no folder {path}.")
    if text_of(document.get("DocumentTypeId")) not in FOLDER_TYPES:
        raise NotFound(f"{path} is not a folder.")
    return text_of(document.get("DocumentId"))


def entries_of(result: Any, path: str) -> list[Entry]:
    """Give the folders and the published queries, folders first, by name."""
    entries = [_entry(document, path) for document in objects(result)]
    shown = [entry for entry in entries if entry is not None]
    return sorted(shown, key=lambda entry: (entry.kind == "query", entry.name.casefold()))


def _entry(document: dict[str, Any], path: str) -> Entry | None:
    type_id = text_of(document.get("DocumentTypeId"))
    is_query = type_id == QUERY_TYPE
    if not is_query and type_id not in FOLDER_TYPES:
        return None
    # An unpublished query is somebody's draft: iMIS doesn't run it.
    if is_query and text_of(document.get("Status")) not in {"", "Published"}:
        return None
    name = text_of(document.get("Name"))
    return Entry(
        kind="query" if is_query else "folder",
        name=name,
        path=text_of(document.get("Path")) or f"{path.rstrip('/')}/{name}",
        description=text_of(document.get("Description")),
    )
