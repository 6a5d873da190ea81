"""What a council does: post a referral, and see where it stands."""

import json
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from calloff.client import Answer, Reading
from calloff.commands.names import district_code_of, provider_name
from calloff.commands.output import Json, carry_out, connected, office_time, out, print_json
from devstack.json_lines import LineWriter
from devstack.names import REFERRAL
from geography import PostcodeDirectory
from simulator import SEED
from simulator.council import Council, Posted
from simulator.people import People, next_number
from simulator.postcodes import sample

_POSTCODES_EACH = 40

referral = typer.Typer(help="Referrals: post one for an invented adult, show where one stands.", no_args_is_help=True)


class HistoryLine(Reading):
    what: str
    at: datetime
    stage: str | None = None
    provider_id: UUID | None = None
    reason: str | None = None


class ReferralSeen(Reading):
    referral_id: UUID
    package_id: UUID
    reference: str | None
    status: str
    placed_with: UUID | None
    history: tuple[HistoryLine, ...]


@referral.command("post")
def post_referral(
    *,
    urgent: Annotated[bool, typer.Option(help="A hospital discharge: offered at any hour.")] = False,
    district: Annotated[str | None, typer.Option(callback=district_code_of, help="Colchester, or E07000071.")] = None,
    as_json: Json = False,
) -> None:
    """Post a referral for a new invented adult."""
    posted = carry_out(_post(urgent=urgent, district=district))
    if as_json:
        print_json(posted.model_dump_json())
        return
    out.print(f"Referral {posted.referral_id} is taken in; its package is {posted.package_id}.", soft_wrap=True)


async def _post(*, urgent: bool, district: str | None) -> Posted:
    async with connected() as here:
        directory = PostcodeDirectory.open(here.home.postcodes)
        people = People(sample(directory, each=_POSTCODES_EACH, seed=SEED), seed=SEED)
        person = people.person(next_number(here.home.people), area=district)
        log = LineWriter[Posted](here.home.posted)
        return await Council(here.as_("council"), here.url(REFERRAL, ""), log, seed=SEED).post(person, urgent=urgent)


@referral.command("show")
def show_referral(referral_id: UUID, *, as_json: Json = False) -> None:
    """Where a referral stands, and what has happened; who the adult is is not shown."""
    answer = carry_out(_show(referral_id))
    if as_json:
        print_json(_without_the_person(answer.body))
        return
    seen = answer.as_(ReferralSeen)
    out.print(f"{seen.reference}: {seen.status}; package {seen.package_id}", soft_wrap=True)
    for line in seen.history:
        parts = [line.what, line.stage, line.provider_id and provider_name(line.provider_id), line.reason]
        out.print(f"  {office_time(line.at)}  {', '.join(part for part in parts if part)}", soft_wrap=True)


async def _show(referral_id: UUID) -> Answer:
    async with connected() as here:
        return await here.as_("council").get(here.url(REFERRAL, f"/v1/referrals/{referral_id}"))


def _without_the_person(body: bytes) -> str:
    """What is printed ends up in terminals' histories and tickets."""
    seen: dict[str, object] = json.loads(body)
    return json.dumps({name: value for name, value in seen.items() if name != "person"})
