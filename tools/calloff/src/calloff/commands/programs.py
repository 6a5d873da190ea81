"""Subcommands that are programs of their own (`calloff.programs`), and `calloff docs`."""

import json
import subprocess
import sys
from typing import Annotated, Final

import typer

from calloff.commands.output import JsonOption, print_json, print_line
from calloff.programs import replace_process

FORWARD_ALL: Final[dict[str, object]] = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}
"""Settings of a command whose options, `--help` too, are parsed by the program."""
_GENERATORS: Final = (
    "devstack.docs.openapi",
    "devstack.docs.events_page",
    "devstack.docs.kubernetes",
    "devstack.dashboards",
    "contracts.schemas",
)


def start_stack(context: typer.Context) -> None:
    """Start everything with invented providers and referrals; Ctrl-C ends it."""
    replace_process("up", context.args)


def run_demo(context: typer.Context) -> None:
    """Play some days of brokerage on a simulated clock, check all that happened, and print the result as JSON."""
    replace_process("demo", context.args)


def control_clock(context: typer.Context) -> None:
    """Show or move the time of a stack that was started with `--simulated-clock`."""
    replace_process("clock", context.args)


def post_referral(context: typer.Context) -> None:
    """Post a referral for a new invented adult."""
    replace_process("referral post", context.args)


def register_market(context: typer.Context) -> None:
    """Register the invented market (framework, providers, ranked lists, rates), to try an installation out."""
    replace_process("market register", context.args)


def rehearse(context: typer.Context) -> None:
    """Run referrals through two definitions on the pure engine, and compare who is placed, when and at which cost."""
    replace_process("rehearse", context.args)


def back_up(context: typer.Context) -> None:
    """Copy every database at one instant, and the keys, into a folder; the stack may run."""
    replace_process("backup", context.args)


def restore(context: typer.Context) -> None:
    """Restore databases and keys from a back-up, and rebuild Kafka's topics from the audit record."""
    replace_process("restore", context.args)


def manage_topics(context: typer.Context) -> None:
    """Plan, apply or check Kafka's topics as the catalogue specifies them."""
    replace_process("topics", context.args)


def use_archives(context: typer.Context) -> None:
    """Verify the files into which old months were moved, and show a package's events in them."""
    replace_process("archive", context.args)


def replay_package(context: typer.Context) -> None:
    """Make every decision about a package again from the record alone, and show where the result differs."""
    replace_process("replay", context.args)


def write_docs(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if a page is out of date.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write docs/openapi, docs/events.md, the event schemas and the dashboards from the code."""
    options = ["--check"] if check else []
    failed = [
        module
        for module in _GENERATORS
        if subprocess.run([sys.executable, "-m", module, *options], check=False).returncode
    ]
    if as_json:
        print_json(json.dumps({"up_to_date": not failed}))
    if failed:
        raise typer.Exit(1)
    if not as_json:
        print_line("docs/openapi, docs/events.md, the event schemas and the dashboards are up to date.")
