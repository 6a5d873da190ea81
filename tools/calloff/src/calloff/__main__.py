"""The `calloff` command: runs the program that knows the rest, and imports nothing that only the other one needs."""

import os
import sys
from typing import Final

from devstack.interrupts import hold_back

PROGRAMS: Final = {
    "up": "simulator.up",
    "demo": "simulator.demo",
    "clock": "simulator.simulated_clock",
    "backup": "calloff.backup.create",
    "restore": "calloff.backup.restore",
}
"""These import the servers' clients, which takes seconds; everything else is `calloff.commands`."""
LISTENING: Final = {"simulator.up", "simulator.demo"}
"""Those that listen for Ctrl-C once they are there."""


def main() -> None:
    """The entry point; becomes the other program, so that signals and exit status are its own."""
    name, arguments = sys.argv[1:2], sys.argv[1:]
    program = PROGRAMS.get(*name) if name else None
    if program in LISTENING:
        hold_back()
    command = [program, *arguments[1:]] if program else ["calloff.commands", *arguments]
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606 - no shell


if __name__ == "__main__":
    main()
