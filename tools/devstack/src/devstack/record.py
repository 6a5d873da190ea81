"""`stack.json`: the addresses and process ids of the running stack, for the other commands."""

from collections.abc import Generator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Self, TextIO

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from devstack.disk_space import explain_full_disk
from devstack.errors import AlreadyRunning, NotRunning
from devstack.home import Home, write_private
from service_runtime.kafka.connection import KafkaConnection


class StackRecord(BaseModel):
    """The content of `stack.json`."""

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
    replicas: dict[str, str] = {}
    """By process: `sourcing 1/2` and the address of its readiness check; empty where each service has one process."""
    logs: Path
    secrets: Path
    """The file of keys that `calloff token` signs with."""
    simulated: bool = False
    """True on a simulated clock, which only `calloff clock` moves."""

    @property
    def kafka(self) -> KafkaConnection:
        return KafkaConnection(self.kafka_bootstrap)

    @classmethod
    def load(cls, home: Home) -> Self:
        """Raises NotRunning where no stack runs on this folder."""
        try:
            record = cls.model_validate_json(home.record_file.read_bytes())
        except (OSError, ValidationError):
            record = None
        if record is None or not psutil.pid_exists(record.pid):
            raise NotRunning(f"no stack runs on {home.folder}; start one with `make run` or `calloff up`")
        return record

    def write(self, home: Home) -> None:
        write_private(home.record_file, self.model_dump_json(indent=2))


@contextmanager
def lock_home(home: Home) -> Generator[None]:
    """Holds the lock of the folder, so that one stack at a time runs on it. Raises AlreadyRunning and DiskFull.

    Whatever fails inside for want of room raises DiskFull, too.
    """
    with explain_full_disk(home.folder), _open_lock_file(home) as lock_file:
        try:
            flock(lock_file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(f"a stack runs on {home.folder}; `calloff status` shows its addresses") from None
        try:
            yield
        finally:
            home.record_file.unlink(missing_ok=True)


def _open_lock_file(home: Home) -> TextIO:
    home.folder.mkdir(parents=True, exist_ok=True)
    return home.lock_file.open("w")
