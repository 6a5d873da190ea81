"""Free ports for servers that bind them later."""

import pytest

from devstack.embedded import ports
from devstack.embedded.ports import find_free_port


def test_a_port_is_returned_once_although_no_process_listens_on_it_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    port = find_free_port()
    monkeypatch.setattr(ports, "_CANDIDATES", range(port, port + 1))
    with pytest.raises(OSError, match="is taken"):
        find_free_port()
