"""`calloff-service`: the one command of the container image. It serves a service, migrates it, or asks a probe.

    calloff-service <service> [migrate | reencrypt-secrets | archive FOLDER | restore-archive FILE]
    calloff-service topics plan | apply | check
    calloff-service probe [live | ready]

Each is a module that `python -m` runs too. This one imports next to nothing: a probe is a process every few seconds.
"""

import runpy
import signal
import sys
from types import FrameType
from typing import Final, NoReturn

MODULES: Final = {"probe": "service_runtime.probe", "topics": "service_runtime.kafka.topics_command"}
SERVICES_MODULE: Final = "service_runtime.installed_services"


def main() -> None:
    # Process 1 of a container ignores a signal without a handler, and a service sets its own only after its imports.
    signal.signal(signal.SIGTERM, _end)
    command, *arguments = sys.argv[1:] or [""]
    if command in MODULES:
        sys.argv = [f"calloff-service {command}", *arguments]
        run_module(MODULES[command])
    else:
        run_module(SERVICES_MODULE)


def run_module(module: str) -> None:
    """Does what `python -m MODULE` does, in this process, with the arguments in `sys.argv`."""
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end(number: int, _: FrameType | None) -> NoReturn:
    sys.exit(128 + number)
