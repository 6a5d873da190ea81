"""The servers of a test session: which of them xdist's workers share."""

from pathlib import Path

import pytest

from testkit.shared_servers import EXTERNAL, KAFKA, POSTGRES, ControllerServers, OwnedServers


@pytest.fixture
def owned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OwnedServers:
    """Servers whose start only counts the servers of a kind."""
    for name in EXTERNAL.values():
        monkeypatch.delenv(name, raising=False)
    servers = OwnedServers(tmp_path)
    started: dict[str, int] = {}

    def start(kind: str) -> str:
        started[kind] = started.get(kind, 0) + 1
        return f"{kind} {started[kind]}"

    monkeypatch.setitem(vars(servers)["_starters"], POSTGRES, lambda: start(POSTGRES))
    monkeypatch.setitem(vars(servers)["_starters"], KAFKA, lambda: start(KAFKA))
    return servers


def test_workers_share_a_postgres_and_each_has_its_own_kafka(owned: OwnedServers) -> None:
    """A service of one worker would otherwise answer the events of another worker's tests."""
    address = owned.serve_workers()
    first, second = (ControllerServers(address, worker=worker) for worker in ("gw0", "gw1"))
    try:
        assert {each.get_address(POSTGRES) for each in (first, second, first)} == {"postgres 1"}
        kafkas = [each.get_address(KAFKA) for each in (first, second, first, second)]
        assert kafkas == ["kafka 1", "kafka 2", "kafka 1", "kafka 2"]
    finally:
        owned.close()


def test_a_server_that_cannot_start_fails_the_test_with_its_reason(
    owned: OwnedServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> str:
        raise OSError("no room")

    monkeypatch.setitem(vars(owned)["_starters"], KAFKA, fail)
    servers = ControllerServers(owned.serve_workers(), worker="gw0")
    try:
        with pytest.raises(pytest.fail.Exception, match="no room"):
            servers.get_address(KAFKA)
    finally:
        owned.close()
