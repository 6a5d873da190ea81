"""What the record tells: a package's story, why a provider did not get it, and whether anything was changed."""

import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from calloff.client import Answer, Reading
from calloff.commands.names import provider_id_of
from calloff.commands.output import Json, carry_out, connected, out, print_json, print_table
from devstack.names import AUDIT


class WhySeen(Reading):
    words: str


class LineSeen(Reading):
    line: int
    local: str
    what: str
    who: str
    why: WhySeen
    verified: bool


class TrailSeen(Reading):
    verified: bool
    lines: tuple[LineSeen, ...]


class EvidenceSeen(Reading):
    event_id: UUID
    type: str
    at: datetime


class ReasonSeen(Reading):
    text: str
    evidence: tuple[EvidenceSeen, ...]


class WhyNotSeen(Reading):
    verdict: str
    in_short: str
    reasons: tuple[ReasonSeen, ...]


class FaultSeen(Reading):
    kind: str
    topic: str
    partition: int
    offset: int
    event_id: UUID | None


class PartSeen(Reading):
    verified: bool
    records: int
    streams: int
    found: int
    faults: tuple[FaultSeen, ...]
    next: str | None


def trail(package_id: UUID, *, as_json: Json = False) -> None:
    """What happened to a package, a line for each event; exit status 1 where one does not verify."""
    answer = carry_out(_of_audit(f"/v1/packages/{package_id}/trail"))
    seen = answer.as_(TrailSeen)
    if as_json:
        print_json(answer.body)
    else:
        rows = [
            (each.line, each.local, each.what, each.who, each.why.words, "yes" if each.verified else "NO")
            for each in seen.lines
        ]
        print_table(("", "when", "what", "who", "why", "verified"), rows, nothing="Nothing happened yet.")
    raise typer.Exit(int(not seen.verified))


def why_not(
    package_id: UUID,
    provider: Annotated[str, typer.Argument(help="A provider's id, or the number in its invented name.")],
    *,
    as_json: Json = False,
) -> None:
    """Why a provider did not get a package, from the record alone."""
    answer = carry_out(_of_audit(f"/v1/packages/{package_id}/why-not/{provider_id_of(provider)}"))
    if as_json:
        print_json(answer.body)
        return
    seen = answer.as_(WhyNotSeen)
    out.print(f"{seen.verdict}: {seen.in_short}", markup=False, soft_wrap=True)
    rows = [
        (each.text, "\n".join(f"{proof.event_id} {proof.type}" for proof in each.evidence)) for each in seen.reasons
    ]
    print_table(("because", "evidence"), rows, nothing="There is no more to it.")


def verify(
    *,
    package: Annotated[UUID | None, typer.Option(help="One package; otherwise the whole record.")] = None,
    as_json: Json = False,
) -> None:
    """Compute hashes and chains again from the stored bytes; exit status 1 where anything does not fit."""
    parts = carry_out(_parts(package))
    seen = [part.as_(PartSeen) for part in parts]
    found = sum(part.found for part in seen)
    if as_json:
        print_json(json.dumps(_whole([json.loads(part.body) for part in parts])))
    else:
        records, streams = sum(part.records for part in seen), sum(part.streams for part in seen)
        out.print(f"{records} records in {streams} streams were verified; {found or 'no'} faults", soft_wrap=True)
        rows = [
            (each.kind, each.topic, each.partition, each.offset, each.event_id) for part in seen for each in part.faults
        ]
        print_table(("what", "topic", "partition", "offset", "event"), rows, nothing="Everything fits.")
    raise typer.Exit(int(found > 0))


def _whole(parts: list[dict[str, Any]]) -> dict[str, Any]:  # the answers as they came, in JSON of any shape
    counts = {name: sum(part[name] for part in parts) for name in ("records", "streams", "found")}
    return {
        "verified": all(part["verified"] for part in parts),
        **counts,
        "faults": [each for part in parts for each in part["faults"]],
    }


async def _of_audit(path: str) -> Answer:
    async with connected() as here:
        return await here.as_("officer").get(here.url(AUDIT, path))


async def _parts(package: UUID | None) -> list[Answer]:
    """Every part of the record that there is to verify; a package is one."""
    parameters = {} if package is None else {"package_id": str(package)}
    parts: list[Answer] = []
    async with connected() as here:
        while True:
            part = await here.as_("officer").get(here.url(AUDIT, "/v1/verification"), **parameters)
            parts.append(part)
            following = part.as_(PartSeen).next
            if following is None:
                return parts
            parameters = {"cursor": following}
