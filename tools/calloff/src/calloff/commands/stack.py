"""`calloff up`, `demo`, `clock`, `backup`, `restore`, `docs`: programs of their own, as their imports take seconds."""

import json
import os
import subprocess
import sys
from typing import Annotated, Final

import typer

from calloff.__main__ import PROGRAMS
from calloff.commands.output import Json, out, print_json

ALL_ARGUMENTS: Final[dict[str, object]] = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}
"""Options of these programs are their own business, `--help` too."""


def bring_up(context: typer.Context) -> None:
    """Start everything with invented providers and referrals; Ctrl-C ends it."""
    os.execv(sys.executable, [sys.executable, "-m", PROGRAMS["up"], *context.args])  # noqa: S606 - no shell


def demonstrate(context: typer.Context) -> None:
    """Play some days of brokerage on a simulated clock, judge all that happened, and say it in one line of JSON."""
    os.execv(sys.executable, [sys.executable, "-m", PROGRAMS["demo"], *context.args])  # noqa: S606 - no shell


def move_clock(context: typer.Context) -> None:
    """Show or move the time of a stack that was started with `--simulated-clock`."""
    os.execv(sys.executable, [sys.executable, "-m", PROGRAMS["clock"], *context.args])  # noqa: S606 - no shell


def back_up(context: typer.Context) -> None:
    """Copy every database as it stands at one instant, with the keys, into a folder; the stack may run."""
    os.execv(sys.executable, [sys.executable, "-m", PROGRAMS["backup"], *context.args])  # noqa: S606 - no shell


def restore(context: typer.Context) -> None:
    """Take up a copy where nothing runs: databases and keys, and Kafka's topics made anew from the record."""
    os.execv(sys.executable, [sys.executable, "-m", PROGRAMS["restore"], *context.args])  # noqa: S606 - no shell


def write_docs(
    *,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; say what is not up to date.")] = False,
    as_json: Json = False,
) -> None:
    """Write docs/openapi and docs/events.md from the code."""
    options = ["--check"] if check else []
    programs = ("devstack.docs.openapi", "devstack.docs.events_page", "contracts.schemas")
    failed = [
        name for name in programs if subprocess.run([sys.executable, "-m", name, *options], check=False).returncode
    ]
    if as_json:
        print_json(json.dumps({"up_to_date": not failed}))
    if failed:
        raise typer.Exit(1)
    if not as_json:
        out.print("docs/openapi and docs/events.md are what the code says.", highlight=False)
