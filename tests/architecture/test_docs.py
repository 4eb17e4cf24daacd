"""What the documents point at is there: files, headings, and routes of the API."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.rig import rigged

from contracts.generate import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_CODE = re.compile(r"```.*?```", re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_ROUTE = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/v1/[\w/.{}-]+)")


def links_of(document: Path) -> Iterator[str]:
    for link in _LINK.findall(_CODE.sub("", document.read_text("utf-8"))):
        if not link.startswith(("http:", "https:", "mailto:")):
            yield link


def headings_of(document: Path) -> set[str]:
    """Return the anchors of a document, as the pages that show Markdown make them."""
    found = _HEADING.findall(_CODE.sub("", document.read_text("utf-8")))
    bare = (re.sub(r"[^\w\- ]", "", re.sub(r"\[(.*?)\]\(.*?\)", r"\1", each)) for each in found)
    return {each.strip().lower().replace(" ", "-") for each in bare}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in links_of(document):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in headings_of(target), link


def test_there_are_links_to_follow() -> None:
    assert sum(len(list(links_of(each))) for each in DOCUMENTS) > 30


async def test_every_route_that_is_told_of_is_one_of_the_api(tmp_path: Path) -> None:
    async with rigged(tmp_path) as rig:
        await rig.organization()
        paths = (await (await rig.staff()).get("/v1/openapi.json")).json()["paths"]
    # The description doesn't describe itself.
    paths["/v1/openapi.json"] = {"get": {}}
    known = [
        (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path)))
        for path, methods in paths.items()
        for method in methods
    ]
    told = {
        (document.name, method, path.rstrip("."))
        for document in DOCUMENTS
        for method, path in _ROUTE.findall(document.read_text("utf-8"))
    }
    assert len(told) > 30
    for name, method, path in sorted(told):
        assert any(verb == method and form.fullmatch(path) for verb, form in known), (
            f"{name}: {method} {path}"
        )
