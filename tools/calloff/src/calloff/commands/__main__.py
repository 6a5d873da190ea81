"""The `calloff` command line: every subcommand with its function."""

import os
from typing import Annotated

import typer

from calloff.commands.audit import explain_why_not, show_trail, verify_record
from calloff.commands.call_list import show_call_list
from calloff.commands.competition import show_competition
from calloff.commands.dead_letters import parked
from calloff.commands.decision import show_decision
from calloff.commands.frameworks import framework
from calloff.commands.offers import list_offers
from calloff.commands.officer_acts import package
from calloff.commands.programs import (
    FORWARD_ALL,
    back_up,
    control_clock,
    manage_topics,
    post_referral,
    register_market,
    rehearse,
    replay_package,
    restore,
    run_demo,
    start_stack,
    use_archives,
    write_docs,
)
from calloff.commands.referrals import referral
from calloff.commands.stack_status import issue_token, show_status, show_url
from calloff.commands.telemetry import list_metrics, show_trace
from calloff.commands.unreadable import unreadable
from calloff.commands.work_list import show_work_list
from devstack.names import COUNCIL_VARIABLE

app = typer.Typer(
    help="Start, call and operate Call-off: the stack on this machine, or the installation in CALLOFF_INSTALLATION.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


@app.callback()
def choose_council(
    council: Annotated[
        str | None,
        typer.Option(
            envvar=COUNCIL_VARIABLE,
            help="The council for which the command acts, such as oxfordshire; it stands before the command. "
            "Without it: the stack's default council.",
        ),
    ] = None,
) -> None:
    """Passes the council on to the command, which may run as a program of its own."""
    if council is not None:
        os.environ[COUNCIL_VARIABLE] = council


app.command("up", context_settings=FORWARD_ALL)(start_stack)
app.command("demo", context_settings=FORWARD_ALL)(run_demo)
app.command("status")(show_status)
app.command("url")(show_url)
app.command("token")(issue_token)
referral.command("post", context_settings=FORWARD_ALL)(post_referral)
app.add_typer(referral, name="referral")
app.add_typer(framework, name="framework")
market = typer.Typer(help="The invented market, for trying an installation out.", no_args_is_help=True)
market.command("register", context_settings=FORWARD_ALL)(register_market)
app.add_typer(market, name="market")
app.command("offers")(list_offers)
app.command("work-list")(show_work_list)
app.command("call-list")(show_call_list)
app.add_typer(package, name="package")
app.command("decision")(show_decision)
app.command("competition")(show_competition)
app.command("trail")(show_trail)
app.command("why-not")(explain_why_not)
app.command("verify")(verify_record)
app.command("replay", context_settings=FORWARD_ALL)(replay_package)
app.command("trace")(show_trace)
app.command("metrics")(list_metrics)
app.add_typer(parked, name="parked")
app.add_typer(unreadable, name="unreadable")
app.command("rehearse", context_settings=FORWARD_ALL)(rehearse)
app.command("clock", context_settings=FORWARD_ALL)(control_clock)
app.command("backup", context_settings=FORWARD_ALL)(back_up)
app.command("restore", context_settings=FORWARD_ALL)(restore)
app.command("topics", context_settings=FORWARD_ALL)(manage_topics)
app.command("archive", context_settings=FORWARD_ALL)(use_archives)
app.command("docs")(write_docs)

if __name__ == "__main__":
    app(prog_name="calloff")
