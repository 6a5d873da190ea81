"""`calloff replay PACKAGE`: makes every decision about a package again, and prints where the result differs."""

import json
import re
from collections.abc import Sequence
from itertools import groupby
from uuid import UUID

import typer

from calloff.commands.output import JsonOption, format_office_time, print_json, print_line, run_command
from calloff.connection import connect_to_stack
from calloff.replay.evidence import EvidenceResponse
from contracts.events.base import PackageEvent
from devstack.names import AUDIT
from sourcing.domain.replay import ReplayedDecision, replay_package
from sourcing.handlers import RUNTIME_TIMERS

app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)


@app.command()
def show_replay(package_id: UUID, *, as_json: JsonOption = False) -> None:
    """Make every decision about a package again from the record alone, and compare the results, prices included.

    Exit status 1 where a decision differs, or where the evidence does not verify.
    """
    evidence, decisions = run_command(_replay(package_id))
    differing = [each for each in decisions if not each.is_same]
    if as_json:
        print_json(_encode(evidence, decisions))
    else:
        _print_decisions(evidence, decisions)
        print_line(f"differs: {len(differing)} of {len(decisions)}" if differing else _count_same(decisions))
    raise typer.Exit(int(bool(differing) or not evidence.verified))


async def _replay(package_id: UUID) -> tuple[EvidenceResponse, Sequence[ReplayedDecision]]:
    async with connect_to_stack() as stack:
        url = stack.get_url(AUDIT, f"/v1/packages/{package_id}/evidence")
        evidence = (await stack.create_client("officer").get(url)).parse(EvidenceResponse)
    record, market = evidence.read_record(), evidence.read_market()
    return evidence, replay_package(record, market, runtime_timers=RUNTIME_TIMERS)


def _print_decisions(evidence: EvidenceResponse, decisions: Sequence[ReplayedDecision]) -> None:
    for each in decisions:
        result = "same" if each.is_same else "; ".join(each.differences)
        print_line(f"{format_office_time(each.decision.at)}  {_describe_events(each.decision.events)}: {result}")
    if not evidence.verified:
        print_line("The evidence does not verify: stored bytes or hashes are wrong; see `calloff verify`.")


def _describe_events(events: Sequence[PackageEvent]) -> str:
    """Returns `stage entered, 3 × provider passed over, offer made`."""
    names = [re.sub(r"(?<!^)([A-Z])", r" \1", type(each).__name__).lower() for each in events]
    counted = [(name, len(list(group))) for name, group in groupby(names)]
    return ", ".join(name if count == 1 else f"{count} × {name}" for name, count in counted)


def _count_same(decisions: Sequence[ReplayedDecision]) -> str:
    return "same: 1 decision" if len(decisions) == 1 else f"same: {len(decisions)} decisions"


def _encode(evidence: EvidenceResponse, decisions: Sequence[ReplayedDecision]) -> str:
    return json.dumps(
        {
            "verified": evidence.verified,
            "same": all(each.is_same for each in decisions),
            "decisions": [
                {
                    "at": each.decision.at.isoformat(),
                    "cause": each.decision.cause,
                    "events": [type(event).__name__ for event in each.decision.events],
                    "differences": list(each.differences),
                }
                for each in decisions
            ],
        }
    )


if __name__ == "__main__":
    app(prog_name="calloff replay")
