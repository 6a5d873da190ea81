"""Subcommands that are programs of their own, by the name of their module.

They import the clients of the servers or a service, which takes seconds; all other subcommands are in
`calloff.commands`. The programs of the simulator are named by text, because the simulator is installed on top of this
package.
"""

import importlib.util
import os
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from devstack.interrupts import block_interrupts
from devstack.names import INSTALLATION_VARIABLE

ARCHIVE_PROGRAM: Final = "calloff.archive.main"
PROGRAMS: Final = {
    "up": "simulator.up",
    "demo": "simulator.demo",
    "clock": "simulator.simulated_clock",
    "referral post": "simulator.post_referral",
    "market register": "simulator.register_market",
    "rehearse": "simulator.rehearsal",
    "backup": "calloff.backup.create",
    "restore": "calloff.backup.restore",
    "topics": "calloff.commands.topics",
    "archive": ARCHIVE_PROGRAM,
    "replay": "calloff.replay.main",
}
HANDLES_INTERRUPTS: Final = {"up", "demo"}
"""These programs install a handler for Ctrl-C; until then it is blocked, so that it is not lost during the imports."""
EMBEDDED_ONLY: Final = {"up", "demo", "clock"}
"""These programs start or move the stack on this machine; there is no other installation that they could act on."""
_LONGEST_NAME: Final = 2
"""Words."""


def find_program(arguments: Sequence[str]) -> str | None:
    """The name in PROGRAMS that the command line begins with; None for every other subcommand."""
    names = (" ".join(arguments[:words]) for words in range(_LONGEST_NAME, 0, -1))
    return next((name for name in names if name in PROGRAMS), None)


def replace_process(name: str, arguments: Sequence[str]) -> NoReturn:
    """Runs a program of PROGRAMS in place of this process, so that signals and the exit status are the program's."""
    if name in EMBEDDED_ONLY and os.environ.get(INSTALLATION_VARIABLE):
        sys.exit(f"`calloff {name}` acts on the embedded stack only; unset {INSTALLATION_VARIABLE} to use it")
    module = PROGRAMS[name]
    package = module.partition(".")[0]
    if importlib.util.find_spec(package) is None:
        sys.exit(f"`calloff {name}` needs the package `{package}`, which is not installed; run `make setup`")
    if name in HANDLES_INTERRUPTS:
        block_interrupts()
    execute_module(module, arguments)


def execute_module(module: str, arguments: Sequence[str]) -> NoReturn:
    """`python -m MODULE ARGUMENT…` in place of this process."""
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - no shell
