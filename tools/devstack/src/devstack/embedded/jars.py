"""Kafka's jars, fetched by Maven as `deploy/kafka/pom.xml` names them; once, until that file changes."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from devstack.embedded.errors import EmbeddedServerError, MissingPrerequisite
from devstack.embedded.java import java_home

_MARKER = "fetched-for"
_STEP = re.compile(r"Download(?:ed|ing) from \S+: \S*/(?P<downloaded>[^/\s]+\.jar)|Copying (?P<copied>\S+\.jar) to ")


def fetch_kafka_jars(pom: Path, into: Path, *, progress: Callable[[str], None] = lambda _jar: None) -> Path:
    """The folder with the jars. `progress` hears the name of each jar as it comes; nothing when all are there."""
    into = into.absolute()  # Maven would take a relative one from the pom's folder
    wanted = hashlib.sha256(pom.read_bytes()).hexdigest()
    if _holds(into, wanted):
        return into
    into.parent.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(into.with_suffix(".lock")):
        if not _holds(into, wanted):
            _fetch(pom, into, wanted, progress)
    return into


def _holds(folder: Path, wanted: str) -> bool:
    marker = folder / _MARKER
    return marker.exists() and marker.read_text() == wanted


def _fetch(pom: Path, into: Path, wanted: str, progress: Callable[[str], None]) -> None:
    with tempfile.TemporaryDirectory(prefix="kafka-jars-", dir=into.parent) as unfinished:
        complete = Path(unfinished) / "jars"
        _run_maven(pom, complete, progress)
        (complete / _MARKER).write_text(wanted)
        shutil.rmtree(into, ignore_errors=True)
        complete.rename(into)


def _run_maven(pom: Path, into: Path, progress: Callable[[str], None]) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise MissingPrerequisite("Maven (mvn) is not installed; it fetches Kafka. On Debian: apt install maven")
    goal = [f"-DoutputDirectory={into}", "-DincludeScope=runtime", "dependency:copy-dependencies"]
    environment = {**os.environ, "JAVA_HOME": str(java_home())}
    said: list[str] = []
    with subprocess.Popen(
        [maven, "--batch-mode", "--file", pom, *goal],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            said.append(line.rstrip())
            if step := _STEP.search(line):
                progress(step["downloaded"] or step["copied"])
    if running.returncode != 0:
        reason = "\n".join([line for line in said if "ERROR" in line][:5] or said[-5:])
        raise EmbeddedServerError(f"Maven could not fetch Kafka as {pom} names it:\n{reason}")


@contextmanager
def _one_at_a_time(lock: Path) -> Generator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
