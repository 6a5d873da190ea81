"""`calloff package`: what an officer does with the search of a package, and what can be done next."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

import typer
from pydantic import BaseModel

from calloff.client import ApiResponse, Request, ResponseModel
from calloff.commands.output import JsonOption, print_json, print_paragraph, run_command
from calloff.commands.providers import ProviderDirectory
from calloff.commands.tables import print_table
from calloff.connection import StackConnection, connect_to_stack
from devstack.names import SOURCING

package = typer.Typer(
    help="Act on a package's search by hand: pause, skip, offer out of order, place, source again.",
    no_args_is_help=True,
)

_COLUMNS = ("possible now", "request", "second officer")
_SECOND = {True: "needed", False: "", None: "above the ceiling"}

PackageArgument = Annotated[UUID, typer.Argument(help="The package's id.")]
ReasonOption = Annotated[str, typer.Option(help="One of the officers' reasons of the framework's definition.")]
ProviderOption = Annotated[str, typer.Option("--provider", help="Its id, its name, or the number in its name.")]
SecondOption = Annotated[bool, typer.Option("--second", help="As the second officer.")]


class ActBody(BaseModel):
    """The body of every act; fields without a value are left out."""

    reason: str | None = None
    provider_id: UUID | None = None
    lot: str | None = None
    tier: str | None = None
    area: str | None = None
    rate: str | None = None
    inadequate_reason: str | None = None
    stage: str | None = None


class AllowedAct(ResponseModel):
    act: str
    method: str
    path: str
    needs_second_officer: bool | None

    def to_row(self) -> tuple[object, ...]:
        return self.act, f"{self.method} {self.path}", _SECOND[self.needs_second_officer]


class WaitingAct(ResponseModel):
    act_id: UUID
    kind: str
    provider_id: UUID
    needs_second_officer: bool


class SearchResponse(ResponseModel):
    package_id: UUID
    status: str
    stage: str | None = None
    paused: bool = False
    officer: str | None = None
    placed_with: UUID | None = None
    waiting_acts: tuple[WaitingAct, ...] = ()
    allowed_acts: tuple[AllowedAct, ...] = ()


@package.command("show")
def show_search(package_id: PackageArgument, *, as_json: JsonOption = False) -> None:
    """Show where the search stands, what waits for a second officer, and what can be done now."""
    _print(run_command(_send("GET", package_id, "search")), as_json=as_json)


@package.command("pause")
def pause(
    package_id: PackageArgument, *, reason: ReasonOption, second: SecondOption = False, as_json: JsonOption = False
) -> None:
    """Make no new offers until the search is resumed; live offers can be answered."""
    _print(run_command(_send("POST", package_id, "pause", ActBody(reason=reason), second=second)), as_json=as_json)


@package.command("resume")
def resume(
    package_id: PackageArgument, *, reason: ReasonOption, second: SecondOption = False, as_json: JsonOption = False
) -> None:
    """Go on from where a paused search was."""
    _print(run_command(_send("POST", package_id, "resume", ActBody(reason=reason), second=second)), as_json=as_json)


@package.command("skip")
def skip(
    package_id: PackageArgument,
    *,
    reason: ReasonOption,
    provider: Annotated[str | None, typer.Option(help="Without it: the provider whose turn it is.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Skip a provider of the current stage that has not been asked."""
    _print(run_command(_send("POST", package_id, "skips", ActBody(reason=reason), provider=provider)), as_json=as_json)


@package.command("offer")
def offer(
    package_id: PackageArgument,
    *,
    reason: ReasonOption,
    provider: ProviderOption,
    lot: str | None = None,
    tier: str | None = None,
    area: str | None = None,
    as_json: JsonOption = False,
) -> None:
    """Propose an offer out of order; `calloff package approve --second` lets it go out."""
    body = ActBody(reason=reason, lot=lot, tier=tier, area=area)
    _print(run_command(_send("POST", package_id, "directed-offers", body, provider=provider)), as_json=as_json)


@package.command("take-up")
def take_up(
    package_id: PackageArgument, *, reason: ReasonOption, provider: ProviderOption, as_json: JsonOption = False
) -> None:
    """Take up a late tick: an offer to that provider as soon as no other is live."""
    response = run_command(_send("POST", package_id, "late-ticks", ActBody(reason=reason), provider=provider))
    _print(response, as_json=as_json)


@package.command("override-suspension")
def override_suspension(package_id: PackageArgument, *, reason: ReasonOption, as_json: JsonOption = False) -> None:
    """Have the offers go on while a Batching List with the package is out."""
    _print(run_command(_send("POST", package_id, "suspension/override", ActBody(reason=reason))), as_json=as_json)


@package.command("place")
def place(
    package_id: PackageArgument,
    *,
    reason: ReasonOption,
    provider: ProviderOption,
    rate: Annotated[str, typer.Option(help="Pounds for each unit of the package.")],
    inadequate_reason: Annotated[str | None, typer.Option(help="For a provider rated Inadequate.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Record a placement made by hand; above the ceiling it waits for `calloff package approve --second`."""
    body = ActBody(reason=reason, rate=rate, inadequate_reason=inadequate_reason)
    _print(run_command(_send("POST", package_id, "placements", body, provider=provider)), as_json=as_json)


@package.command("approve")
def approve(
    package_id: PackageArgument, act_id: UUID, *, second: SecondOption = False, as_json: JsonOption = False
) -> None:
    """Approve another officer's act."""
    _print(run_command(_send("POST", package_id, f"acts/{act_id}/approve", second=second)), as_json=as_json)


@package.command("refuse")
def refuse(
    package_id: PackageArgument, act_id: UUID, *, second: SecondOption = False, as_json: JsonOption = False
) -> None:
    """Refuse another officer's act, or withdraw your own."""
    _print(run_command(_send("POST", package_id, f"acts/{act_id}/refuse", second=second)), as_json=as_json)


@package.command("resource")
def source_again(
    package_id: PackageArgument,
    *,
    reason: ReasonOption,
    stage: Annotated[str | None, typer.Option(help="A stage of the package's road to enter.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Source a package again that fell through before care started, is exhausted, or is listed."""
    _print(run_command(_send("POST", package_id, "resource", ActBody(reason=reason, stage=stage))), as_json=as_json)


@package.command("withdraw-award")
def withdraw_award(
    package_id: PackageArgument, award_id: UUID, *, reason: ReasonOption, as_json: JsonOption = False
) -> None:
    """Withdraw an award that waits for a second officer."""
    response = run_command(_send("POST", package_id, f"awards/{award_id}/withdraw", ActBody(reason=reason)))
    _print(response, as_json=as_json)


class AssignmentBody(BaseModel):
    """An officer's subject at the identity provider; null: nobody."""

    officer: str | None


@package.command("assign")
def assign(
    package_id: PackageArgument,
    officer: Annotated[str | None, typer.Argument(help="The officer's subject; without it: nobody.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Assign the package to an officer, whose work list then shows it."""
    _print(run_command(_assign(package_id, officer)), as_json=as_json)


async def _assign(package_id: UUID, officer: str | None) -> ApiResponse:
    async with connect_to_stack() as stack:
        url = stack.get_url(SOURCING, f"/v1/packages/{package_id}/officer")
        body = AssignmentBody(officer=officer).model_dump_json().encode()  # null is sent, too
        return await stack.create_client("officer").send(Request("PUT", url, body=body))


async def _send(
    method: str,
    package_id: UUID,
    path: str,
    body: ActBody | None = None,
    *,
    provider: str | None = None,
    second: bool = False,
) -> ApiResponse:
    async with connect_to_stack() as stack:
        if body is not None and provider is not None:
            body = body.model_copy(update={"provider_id": await ProviderDirectory(stack).find_id(provider)})
        url = stack.get_url(SOURCING, f"/v1/packages/{package_id}/{path}")
        client = stack.create_client("second-officer" if second else "officer")
        return await client.send(Request(method, url, body=body))


def _print(response: ApiResponse, *, as_json: bool) -> None:
    if as_json:
        print_json(response.body)
        return
    found = response.parse(SearchResponse)
    names = run_command(_load_names(found))
    print_paragraph(_describe(found, names))
    for act in found.waiting_acts:
        waits = "waits for a second officer" if act.needs_second_officer else "waits for its turn"
        print_paragraph(f"{act.kind} with {names[act.provider_id]} {waits}: act {act.act_id}")
    print_table(_COLUMNS, [act.to_row() for act in found.allowed_acts], empty="Nothing can be done with it now.")


def _describe(found: SearchResponse, names: Mapping[UUID, str]) -> str:
    parts = [f"Package {found.package_id} is {found.status}"]
    parts += ["paused"] if found.paused else []
    parts += [f"in {found.stage}"] if found.stage is not None else []
    parts += [f"placed with {names[found.placed_with]}"] if found.placed_with is not None else []
    parts += [f"assigned to {found.officer}"] if found.officer is not None else []
    return ", ".join(parts)


async def _load_names(found: SearchResponse) -> Mapping[UUID, str]:
    async with connect_to_stack() as stack:
        return await _load_names_of(stack, found)


async def _load_names_of(stack: StackConnection, found: SearchResponse) -> Mapping[UUID, str]:
    providers = [found.placed_with, *(act.provider_id for act in found.waiting_acts)]
    return await ProviderDirectory(stack).load_names(providers)
