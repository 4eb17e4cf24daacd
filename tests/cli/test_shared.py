"""An engine that several processes share ends with the last of them, however that ends."""

import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from textmanager.engines.shared import shared, wait_closed
from textmanager.errors import UserError

pytestmark = [pytest.mark.engines]

USER = """
import sys
from pathlib import Path
from textmanager.engines.shared import shared
with shared("valkey", Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


def answers(url: str) -> bool:
    with Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except RedisConnectionError:
            return False


def test_the_last_user_ends_it_even_when_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", USER, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        theirs = other.stdout.readline().strip()
        with shared("valkey", tmp_path) as ours:
            assert ours == theirs
        assert answers(theirs)
        other.kill()
    wait_closed(tmp_path)
    assert not answers(theirs)
    assert not (tmp_path / "state").exists()


def test_it_can_be_started_again(tmp_path: Path) -> None:
    for _ in range(2):
        with shared("valkey", tmp_path) as url:
            assert answers(url)
        wait_closed(tmp_path)


def test_a_host_that_cannot_start_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTMANAGER_JAVA", str(tmp_path / "nowhere"))
    with (
        pytest.raises(UserError, match="there is no java program there"),
        shared("kafka", tmp_path / "engine"),
    ):
        pass
