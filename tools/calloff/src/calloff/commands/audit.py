"""`calloff trail`, `why-not` and `verify`: what the audit record holds."""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from calloff.client import ApiResponse, ResponseModel
from calloff.commands.output import JsonOption, print_json, print_paragraph, run_command
from calloff.commands.providers import ProviderDirectory
from calloff.commands.tables import print_table
from calloff.connection import connect_to_stack
from calloff.programs import ARCHIVE_PROGRAM
from devstack.names import AUDIT

RECORDS_PER_PART: Final = 10_000
"""Few enough that a part is answered within the time limit of a proxy."""


class Explanation(ResponseModel):
    words: str


class TrailLine(ResponseModel):
    line: int
    local: str
    what: str
    who: str
    why: Explanation
    verified: bool

    def to_row(self) -> tuple[object, ...]:
        return self.line, self.local, self.what, self.who, self.why.words, "yes" if self.verified else "NO"


class Trail(ResponseModel):
    verified: bool
    archives: tuple[str, ...] = ()
    lines: tuple[TrailLine, ...]


class Evidence(ResponseModel):
    event_id: UUID
    type: str
    at: datetime


class Reason(ResponseModel):
    text: str
    evidence: tuple[Evidence, ...]

    def to_row(self) -> tuple[object, ...]:
        return self.text, "\n".join(f"{event.event_id} {event.type}" for event in self.evidence)


class WhyNotResponse(ResponseModel):
    verdict: str
    in_short: str
    reasons: tuple[Reason, ...]


class Fault(ResponseModel):
    kind: str
    topic: str
    partition: int
    offset: int
    event_id: UUID | None

    def to_row(self) -> tuple[object, ...]:
        return self.kind, self.topic, self.partition, self.offset, self.event_id


class VerificationPage(ResponseModel):
    verified: bool
    records: int
    streams: int
    found: int
    faults: tuple[Fault, ...]
    next: str | None


def show_trail(package_id: UUID, *, as_json: JsonOption = False) -> None:
    """Show each event of a package in one line; exit status 1 where an event does not verify."""
    response = run_command(_fetch_from_audit(f"/v1/packages/{package_id}/trail"))
    trail = response.parse(Trail)
    if as_json:
        print_json(response.body)
    else:
        if trail.archives:
            print_paragraph(f"Earlier events are in {', '.join(trail.archives)}; see `calloff archive trail`.")
        rows = [line.to_row() for line in trail.lines]
        print_table(
            ("line", "when", "what", "who", "why", "verified"), rows, empty="The record has no event of the package."
        )
    raise typer.Exit(int(not trail.verified))


def explain_why_not(
    package_id: UUID,
    provider: Annotated[str, typer.Argument(help="The provider's id, its name, or the number in its name.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Explain why a provider did not get a package, from the audit record alone."""
    response = run_command(_fetch_why_not(package_id, provider))
    if as_json:
        print_json(response.body)
        return
    answer = response.parse(WhyNotResponse)
    print_paragraph(f"{answer.verdict}: {answer.in_short}")
    print_table(("because", "evidence"), [reason.to_row() for reason in answer.reasons], empty="No further reasons.")


def verify_record(
    *,
    package: Annotated[UUID | None, typer.Option(help="One package; the whole record by default.")] = None,
    archives: Annotated[
        list[Path] | None, typer.Option("--archive", help="An archive of the record; name all of them, one by one.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute all hashes and chains from the stored bytes; exit status 1 where one does not match.

    With archives the chains are followed from the first event on; without them from the last archived one.
    """
    archived = None if archives is None else _verify_archives(archives, as_json=as_json)
    responses = run_command(_fetch_verification(package))
    pages = [response.parse(VerificationPage) for response in responses]
    found = sum(page.found for page in pages)
    if as_json:
        merged = _merge_pages([json.loads(response.body) for response in responses])
        print_json(json.dumps(merged if archived is None else {**merged, "archives": json.loads(archived.stdout)}))
    else:
        records, streams = sum(page.records for page in pages), sum(page.streams for page in pages)
        print_paragraph(f"{records} records in {streams} streams were verified; {found or 'no'} faults")
        rows = [fault.to_row() for page in pages for fault in page.faults]
        print_table(("what", "topic", "partition", "offset", "event"), rows, empty="All hashes and chains match.")
    raise typer.Exit(int(found > 0 or (archived is not None and archived.returncode != 0)))


def _verify_archives(archives: list[Path], *, as_json: bool) -> "subprocess.CompletedProcess[str]":
    """Verifies archives in a process of their own, which imports more; it prints the result itself, unless as JSON."""
    options = ["--json"] if as_json else []
    command = [sys.executable, "-m", ARCHIVE_PROGRAM, "verify", "--against-audit", *options, *map(str, archives)]
    verified = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE if as_json else None)
    if as_json and not verified.stdout:
        raise typer.Exit(1)  # the reason is on standard error
    return verified


def _merge_pages(pages: list[dict[str, Any]]) -> dict[str, Any]:  # the answers as they came, in JSON of any shape
    counts = {name: sum(page[name] for page in pages) for name in ("records", "streams", "found")}
    return {
        "verified": all(page["verified"] for page in pages),
        **counts,
        "faults": [fault for page in pages for fault in page["faults"]],
    }


async def _fetch_from_audit(path: str) -> ApiResponse:
    async with connect_to_stack() as stack:
        return await stack.create_client("officer").get(stack.get_url(AUDIT, path))


async def _fetch_why_not(package_id: UUID, provider: str) -> ApiResponse:
    async with connect_to_stack() as stack:
        provider_id = await ProviderDirectory(stack).find_id(provider)
        path = f"/v1/packages/{package_id}/why-not/{provider_id}"
        return await stack.create_client("officer").get(stack.get_url(AUDIT, path))


async def _fetch_verification(package: UUID | None) -> list[ApiResponse]:
    """Every page of the verification; one page for a package."""
    size = {"records": str(RECORDS_PER_PART)}
    parameters = size if package is None else {"package_id": str(package)}
    responses: list[ApiResponse] = []
    async with connect_to_stack() as stack:
        client, url = stack.create_client("officer"), stack.get_url(AUDIT, "/v1/verification")
        while True:
            responses.append(await client.get(url, **parameters))
            following = responses[-1].parse(VerificationPage).next
            if following is None:
                return responses
            parameters = {"cursor": following, **size}
