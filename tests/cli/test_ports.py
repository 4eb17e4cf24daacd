"""Ports: free, remembered, and told of when taken."""

import socket
from pathlib import Path

import pytest

from textmanager.engines.ports import HIGHEST, HOST, LOWEST, Ports, free_port
from textmanager.errors import UserError


def test_a_port_stays_the_same_from_one_start_to_the_next(tmp_path: Path) -> None:
    first = Ports(tmp_path).assign("kafka")
    assert LOWEST <= first <= HIGHEST
    assert Ports(tmp_path).assign("kafka") == first
    assert Ports(tmp_path).assign("valkey") != first


def test_a_given_port_is_taken_and_remembered(tmp_path: Path) -> None:
    wanted = free_port()
    assert Ports(tmp_path).assign("gateway", given=wanted) == wanted
    assert Ports(tmp_path).assign("gateway") == wanted


def test_a_given_port_in_use_is_told_of(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(UserError, match=f"Port {taken}, asked for gateway, is in use"):
            Ports(tmp_path).assign("gateway", given=taken)


@pytest.mark.parametrize("port", [0, 65536, 99999])
def test_a_port_that_cannot_be_is_told_of(tmp_path: Path, port: int) -> None:
    with pytest.raises(UserError, match=f"Port {port}, asked for gateway, does not exist"):
        Ports(tmp_path).assign("gateway", given=port)


def test_a_remembered_port_that_somebody_took_is_replaced(tmp_path: Path) -> None:
    remembered = Ports(tmp_path).assign("gateway")
    with socket.create_server((HOST, remembered)):
        assert Ports(tmp_path).assign("gateway") != remembered
