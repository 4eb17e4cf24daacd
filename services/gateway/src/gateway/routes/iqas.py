"""`/v1/iqas`: the queries of iMIS, as the signed-in staff member may see them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gateway.handlers import iqas as handlers
from gateway.routes.deps import Staff, The
from gateway.routes.texts import Text

router = APIRouter(tags=["IQAs"])
Path = Annotated[
    Text,
    Query(description="A path in iMIS's document tree.", examples=["$/Common/Queries"]),
]


class EntryView(BaseModel):
    """A folder, or a query that a campaign can use."""

    kind: Literal["folder", "query"]
    name: str
    path: str
    description: str


class FolderView(BaseModel):
    """What is in a folder, folders first."""

    path: str
    entries: list[EntryView]


class ColumnView(BaseModel):
    """A column of a query; its alias is what templates and campaigns call it."""

    alias: str
    has_alias: bool
    property_name: str
    caption: str


class PromptView(BaseModel):
    """A value that the query asks for."""

    name: str
    default: str


class ColumnsView(BaseModel):
    """A query's columns, and what must be mended before a campaign can use it."""

    path: str
    columns: list[ColumnView]
    prompts: list[PromptView]
    problems: list[str] = Field(
        examples=[["These columns have no alias in the query: Phone. Type one for each."]]
    )


@router.get("/v1/iqas", summary="Browse folders and queries")
async def get_iqas(gateway: The, staff: Staff, path: Path = "$") -> FolderView:
    """Lists what is in a folder of iMIS's document tree; `$` is its root."""
    folder = await handlers.browse(
        staff, path, desk=gateway.desk, imis=gateway.imis, seal=gateway.seal, clock=gateway.clock
    )
    entries = [
        EntryView(kind=e.kind, name=e.name, path=e.path, description=e.description)
        for e in folder.entries
    ]
    return FolderView(path=folder.path, entries=entries)


@router.get("/v1/iqas/columns", summary="A query's columns")
async def get_columns(gateway: The, staff: Staff, path: Path) -> ColumnsView:
    """The merge fields that a template can use, and the columns to choose the phone from."""
    query = await handlers.columns(
        staff, path, desk=gateway.desk, imis=gateway.imis, seal=gateway.seal, clock=gateway.clock
    )
    return ColumnsView(
        path=query.path,
        columns=[
            ColumnView(
                alias=c.name if c.has_alias else "",
                has_alias=c.has_alias,
                property_name=c.property_name or c.name,
                caption=c.caption,
            )
            for c in query.columns
        ],
        prompts=[PromptView(name=p.name, default=p.default) for p in query.prompts],
        problems=list(query.problems),
    )
