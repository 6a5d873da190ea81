"""`stack.json`: where the stack that runs can be reached, for the other commands and for whoever wants to look."""

from collections.abc import Generator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Self

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from devstack.errors import AlreadyRunning, NotRunning
from devstack.home import Home, write_private


class StackRecord(BaseModel):
    """What `stack.json` holds."""

    model_config = ConfigDict(frozen=True)

    pid: int
    issuer: str
    urls: dict[str, str]
    """By service: `http://127.0.0.1:8101`."""
    docs: dict[str, str]
    kafka_bootstrap: str
    postgres_port: int
    receivers: str
    pids: dict[str, int]
    logs: Path
    secrets: Path
    """Clients' secrets are derived from it; `calloff token` reads it."""
    simulated: bool = False
    """Whether time stands still until `calloff clock` moves it."""

    @classmethod
    def of(cls, home: Home) -> Self:
        """Raises NotRunning when no stack runs on this folder."""
        try:
            record = cls.model_validate_json(home.stack.read_bytes())
        except (OSError, ValidationError):
            record = None
        if record is None or not psutil.pid_exists(record.pid):
            raise NotRunning(f"nothing runs on {home.folder}; start it with `make run` or `calloff up`")
        return record

    def write(self, home: Home) -> None:
        write_private(home.stack, self.model_dump_json(indent=2))


@contextmanager
def only_one(home: Home) -> Generator[None]:
    """One stack on one folder at a time. Raises AlreadyRunning."""
    home.folder.mkdir(parents=True, exist_ok=True)
    with home.lock.open("w") as held:
        try:
            flock(held, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(f"a stack runs on {home.folder}; `calloff status` tells where") from None
        try:
            yield
        finally:
            home.stack.unlink(missing_ok=True)
