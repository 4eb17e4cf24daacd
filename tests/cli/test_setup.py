"""What `make` says when it cannot set up, and that it does nothing when all is as it was."""

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def setup_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("setup_tool", ROOT / "tools" / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (tmp_path / "requirements.lock").write_text("a==1 \\\n    --hash=sha256:00\nuv==2\n")
    (tmp_path / ".venv").mkdir()
    return tmp_path


def test_an_old_python_is_told(setup_tool: ModuleType) -> None:
    with pytest.raises(setup_tool.SetupError, match=r"Python 3\.9 is too old, 3\.11 or newer"):
        setup_tool.check_python((3, 9))
    setup_tool.check_python((3, 11))


def test_an_old_python_understands_as_much_as_it_needs_to_be_told() -> None:
    tree = ast.parse((ROOT / "tools" / "setup.py").read_text(), feature_version=(3, 6))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert "__future__" not in imported, "Python 3.6 knows no `annotations` there"
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        given = [argument.annotation for argument in function.args.args]
        for annotation in (*given, function.returns):
            # A subscript or a union would be evaluated, and fail, before anything is told.
            assert isinstance(annotation, ast.Name | ast.Constant), ast.dump(function)


def test_a_full_disk_is_told(setup_tool: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(setup_tool.SetupError, match=r"only 300 MB free.*needs 2 GB"):
        setup_tool.check_space(tmp_path, 300 << 20)


def test_a_python_without_venv_is_told(
    setup_tool: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(setup_tool.SetupError, match="install its venv package"):
        setup_tool.check_venv_module()


def test_the_installer_is_cut_from_the_lock_with_its_hashes(setup_tool: ModuleType) -> None:
    cut = setup_tool.pinned((ROOT / "requirements.lock").read_text(), "uv")
    first, *hashes = cut.splitlines()
    assert first.startswith("uv==")
    assert len(hashes) > 5
    assert all(line.strip().startswith("--hash=sha256:") for line in hashes)
    with pytest.raises(setup_tool.SetupError, match="run `make lock`"):
        setup_tool.pinned("a==1\n", "uv")


def test_a_failed_step_is_one_sentence(setup_tool: ModuleType) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no route\\nto anywhere')"]
    with pytest.raises(setup_tool.SetupError, match=r"check the network.*no route to anywhere"):
        setup_tool._run(command, "The packages")


def test_nothing_is_done_when_nothing_changed(
    setup_tool: ModuleType, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(setup_tool, "make_environment", lambda _: done.append("environment"))
    monkeypatch.setattr(setup_tool, "install", lambda *_: done.append("install"))
    for _ in range(2):
        setup_tool.set_up(workspace)
    assert done == ["environment", "install"]
    (workspace / "cli" / "pyproject.toml").write_text("[project]\nname = 'y'\n")
    setup_tool.set_up(workspace)
    assert done == ["environment", "install"] * 2


def test_a_directory_that_is_no_environment_is_left_alone(
    setup_tool: ModuleType, workspace: Path
) -> None:
    (workspace / ".venv" / "precious.txt").write_text("mine")
    with pytest.raises(setup_tool.SetupError, match="is no virtual environment"):
        setup_tool.make_environment(workspace / ".venv")
    assert (workspace / ".venv" / "precious.txt").exists()


def test_every_member_is_installed(setup_tool: ModuleType) -> None:
    names = {path.name for path in setup_tool.members(ROOT)}
    assert {"contracts", "chassis", "sender", "imis-writer", "simulators", "cli"} <= names
