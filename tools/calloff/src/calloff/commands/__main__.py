"""All commands: `calloff --help` lists them."""

import typer

from calloff.commands.operating import parked, status, token, url
from calloff.commands.record import trail, verify, why_not
from calloff.commands.referrals import referral
from calloff.commands.sourcing import decision, offers, work_list
from calloff.commands.stack import ALL_ARGUMENTS, back_up, bring_up, demonstrate, move_clock, restore, write_docs
from calloff.commands.tracing import metrics, trace

app = typer.Typer(
    help="Call-off on this machine: start it, call it, look after it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.command("up", context_settings=ALL_ARGUMENTS)(bring_up)
app.command("demo", context_settings=ALL_ARGUMENTS)(demonstrate)
app.command("status")(status)
app.command("url")(url)
app.command("token")(token)
app.add_typer(referral, name="referral")
app.command("offers")(offers)
app.command("work-list")(work_list)
app.command("decision")(decision)
app.command("trail")(trail)
app.command("why-not")(why_not)
app.command("verify")(verify)
app.command("trace")(trace)
app.command("metrics")(metrics)
app.add_typer(parked, name="parked")
app.command("clock", context_settings=ALL_ARGUMENTS)(move_clock)
app.command("backup", context_settings=ALL_ARGUMENTS)(back_up)
app.command("restore", context_settings=ALL_ARGUMENTS)(restore)
app.command("docs")(write_docs)

if __name__ == "__main__":
    app(prog_name="calloff")
