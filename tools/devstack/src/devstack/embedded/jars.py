"""Downloads Kafka's jars with Maven, as `deploy/kafka/pom.xml` names them; again only when that file changes."""

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
from devstack.embedded.java import find_java_home

_MARKER = "fetched-for"
_PROGRESS_LINE = re.compile(
    r"Download(?:ed|ing) from \S+: \S*/(?P<downloaded>[^/\s]+\.jar)|Copying (?P<copied>\S+\.jar) to "
)


def fetch_kafka_jars(pom: Path, folder: Path, *, progress: Callable[[str], None] = lambda _jar: None) -> Path:
    """Returns the folder with the jars. Calls `progress` with the name of each jar that is downloaded."""
    folder = folder.absolute()  # Maven resolves relative paths from the folder of the pom
    digest = hashlib.sha256(pom.read_bytes()).hexdigest()
    if _is_fetched(folder, digest):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock_file(folder.with_suffix(".lock")):
        if not _is_fetched(folder, digest):
            _fetch(pom, folder, digest, progress)
    return folder


def _is_fetched(folder: Path, digest: str) -> bool:
    marker = folder / _MARKER
    return marker.exists() and marker.read_text() == digest


def _fetch(pom: Path, folder: Path, digest: str, progress: Callable[[str], None]) -> None:
    with tempfile.TemporaryDirectory(prefix="kafka-jars-", dir=folder.parent) as unfinished:
        complete = Path(unfinished) / "jars"
        _run_maven(pom, complete, progress)
        (complete / _MARKER).write_text(digest)
        shutil.rmtree(folder, ignore_errors=True)
        complete.rename(folder)


def _run_maven(pom: Path, folder: Path, progress: Callable[[str], None]) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise MissingPrerequisite("Maven (mvn) is not installed; it fetches Kafka. On Debian: apt install maven")
    goal = [f"-DoutputDirectory={folder}", "-DincludeScope=runtime", "dependency:copy-dependencies"]
    environment = {**os.environ, "JAVA_HOME": str(find_java_home())}
    output: list[str] = []
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
            output.append(line.rstrip())
            if step := _PROGRESS_LINE.search(line):
                progress(step["downloaded"] or step["copied"])
    if running.returncode != 0:
        reason = "\n".join([line for line in output if "ERROR" in line][:5] or output[-5:])
        raise EmbeddedServerError(f"Maven cannot download Kafka as {pom} names it:\n{reason}")


@contextmanager
def _lock_file(lock: Path) -> Generator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
