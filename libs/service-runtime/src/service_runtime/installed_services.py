"""Runs a service by its name: `python -m service_runtime.installed_services SERVICE [ARGUMENT…]`.

A service is found by its entry point in the group `calloff.services`; the runtime knows none.
"""

import runpy
import sys
from collections.abc import Iterable
from importlib.metadata import entry_points
from typing import Final

SERVICES_GROUP: Final = "calloff.services"
USAGE_STATUS: Final = 64
"""EX_USAGE of sysexits.h."""


def find_services() -> dict[str, str]:
    """The module of each installed service, by its name."""
    return dict(sorted((each.name, each.value) for each in entry_points(group=SERVICES_GROUP)))


def explain_unknown(name: str, services: Iterable[str]) -> str:
    reason = f"there is no service {name!r}" if name else "a service is missing"
    return f"calloff-service: {reason}; choose {', '.join(services)}, topics or probe"


def main() -> None:
    name, *arguments = sys.argv[1:] or [""]
    services = find_services()
    if name not in services:
        sys.stderr.write(f"{explain_unknown(name, services)}\n")
        sys.exit(USAGE_STATUS)
    sys.argv = [f"calloff-service {name}", *arguments]
    runpy.run_module(services[name], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
