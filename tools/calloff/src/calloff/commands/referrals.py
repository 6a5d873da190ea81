"""`calloff referral show`: the state of a referral, its history, and what happens next to its package."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import typer

from calloff.client import ApiResponse, ResponseModel
from calloff.commands.decision import fetch_decision
from calloff.commands.next_steps import NextStepResponse, describe_next_step
from calloff.commands.output import JsonOption, format_office_time, print_json, print_paragraph, run_command
from calloff.commands.providers import ProviderDirectory
from calloff.commands.tables import print_table
from calloff.connection import StackConnection, connect_to_stack
from devstack.errors import ServiceRefused, ServiceUnreachable
from devstack.names import REFERRAL

referral = typer.Typer(help="Post a referral for an invented adult, and show a referral.", no_args_is_help=True)

_COLUMNS = ("when", "what", "stage", "provider", "reason")


class HistoryEntry(ResponseModel):
    what: str
    at: datetime
    stage: str | None = None
    provider_id: UUID | None = None
    reason: str | None = None

    def to_row(self, names: Mapping[UUID, str]) -> tuple[object, ...]:
        provider = None if self.provider_id is None else names[self.provider_id]
        return format_office_time(self.at), self.what, self.stage, provider, self.reason


class ReferralResponse(ResponseModel):
    package_id: UUID
    reference: str | None
    status: str
    history: tuple[HistoryEntry, ...]


class PackageResponse(ResponseModel):
    """Of sourcing's decision, the next step."""

    next_step: NextStepResponse | None = None


@dataclass(frozen=True)
class _Shown:
    """The referral as the service answered, and what is added to it for people."""

    response: ApiResponse
    next_step: str | None = None
    names: Mapping[UUID, str] = field(default_factory=dict[UUID, str])


@referral.command("show")
def show_referral(referral_id: UUID, *, as_json: JsonOption = False) -> None:
    """Show the state of a referral, its history and the next step; personal data is left out."""
    shown = run_command(_fetch_referral(referral_id, with_next_step=not as_json))
    if as_json:
        print_json(_remove_person(shown.response.body))
        return
    found = shown.response.parse(ReferralResponse)
    print_paragraph(f"{found.reference or referral_id}: {found.status}; package {found.package_id}")
    if shown.next_step is not None:
        print_paragraph(f"next step: {shown.next_step}")
    rows = [entry.to_row(shown.names) for entry in found.history]
    print_table(_COLUMNS, rows, empty="The referral has no history yet.")


async def _fetch_referral(referral_id: UUID, *, with_next_step: bool) -> _Shown:
    async with connect_to_stack() as stack:
        url = stack.get_url(REFERRAL, f"/v1/referrals/{referral_id}")
        response = await stack.create_client("council").get(url)
        if not with_next_step:
            return _Shown(response)
        found = response.parse(ReferralResponse)
        directory = ProviderDirectory(stack)
        next_step = await _describe_next_step(stack, found.package_id, directory)
        names = await directory.load_names(entry.provider_id for entry in found.history)
        return _Shown(response, next_step, names)


async def _describe_next_step(stack: StackConnection, package_id: UUID, directory: ProviderDirectory) -> str | None:
    """None where sourcing does not know the package yet, or does not answer."""
    try:
        step = (await fetch_decision(stack, package_id)).parse(PackageResponse).next_step
    except (ServiceRefused, ServiceUnreachable):
        return None
    return None if step is None else describe_next_step(step, await directory.load_names([step.provider_id]))


def _remove_person(body: bytes) -> str:
    """Output ends up in shell histories and tickets."""
    document: dict[str, object] = json.loads(body)
    return json.dumps({name: value for name, value in document.items() if name != "person"})
