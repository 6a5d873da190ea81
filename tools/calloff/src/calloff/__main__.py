"""The `calloff` command: runs the program that knows the rest, and imports nothing that only the other one needs."""

import os
import sys
from typing import Final

from calloff.interrupts import hold_back

PROGRAMS: Final = {
    "up": "calloff.stack",
    "demo": "calloff.demo",
    "clock": "calloff.simulation",
    "backup": "calloff.safekeeping.backing_up",
    "restore": "calloff.safekeeping.restoring",
}
"""These import the servers' clients, which takes seconds; everything else is `calloff.commands`."""
LISTENING: Final = {"calloff.stack", "calloff.demo"}
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
