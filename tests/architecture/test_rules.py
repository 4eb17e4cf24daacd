"""House rules that a reader relies on, held by a look at the code itself."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.events import ALL_EVENTS
from contracts.generate import ROOT
from contracts.personal import PersonalData

SOURCES = ("contracts", "libs", "services", "simulators", "cli")
LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
PERSONAL_NAMES = {"to", "text", "phone", "body", "form", "note", "to_number", "email", "number"}


def modules(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("src/**/*.py"))


def log_calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in LOG_METHODS
            and "get_logger" in ast.unparse(node.func.value)
        ):
            yield node


def test_a_log_line_has_a_constant_message_and_no_personal_field() -> None:
    seen = 0
    for path in modules("services", "libs"):
        if path.name == "logs.py":
            # It turns the libraries' own lines into ours, and leaves their values out.
            continue
        for call in log_calls(path):
            seen += 1
            message = call.args[-1]
            assert isinstance(message, ast.Constant), f"{path}:{call.lineno}"
            named = {keyword.arg for keyword in call.keywords}
            assert not named & PERSONAL_NAMES, f"{path}:{call.lineno}"
    assert seen > 20


def test_no_log_field_is_one_that_the_contracts_call_personal() -> None:
    from chassis.logs import ALLOWED

    personal = {
        name
        for event in ALL_EVENTS
        for name, field in event.model_fields.items()
        if any(isinstance(mark, PersonalData) for mark in field.metadata)
    }
    assert not ALLOWED & (personal | PERSONAL_NAMES)


@pytest.mark.parametrize("folder", SOURCES)
def test_code_speaks_of_the_product_alone(folder: str) -> None:
    forbidden = re.compile(r"(?<![\w.])/(root|work|home)/|pypi\.org|repo1\.maven|registry\.npmjs")
    for path in modules(folder):
        text = path.read_text("utf-8")
        assert not forbidden.search(text), path


def test_no_exception_is_swallowed_blindly_outside_the_chassis() -> None:
    for path in modules("services", "contracts"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ExceptHandler) and _is_blind(node):
                assert any(isinstance(each, ast.Raise) for each in ast.walk(node)), (
                    f"{path}:{node.lineno} catches everything and raises nothing"
                )


def _is_blind(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or ast.unparse(handler.type) in ("Exception", "BaseException")


def test_files_stay_small() -> None:
    # A revision is as long as its tables; nobody writes it by hand.
    lengths = {
        path: len(path.read_text("utf-8").splitlines())
        for path in modules(*SOURCES)
        if path.parent.name != "versions"
    }
    assert {str(path): n for path, n in lengths.items() if n > 300} == {}
    ordered = sorted(lengths.values())
    assert ordered[len(ordered) // 2] <= 100
