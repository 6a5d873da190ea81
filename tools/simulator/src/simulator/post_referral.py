"""`calloff referral post`: posts a referral of the chosen council for a new invented adult."""

from secrets import randbelow
from typing import Annotated, Final

import typer

from calloff.commands.output import JsonOption, print_json, print_line, run_command
from calloff.connection import connect_to_stack, get_council
from contracts.ids import AreaCode
from devstack.home import create_home_for
from devstack.json_lines import JsonLinesWriter
from devstack.names import REFERRAL
from geography import PostcodeDirectory
from simulator import SEED
from simulator.council import Council, PostedReferral
from simulator.councils import MARKET_BUILDERS
from simulator.definitions import list_served_areas, load_definition
from simulator.person_factory import PERSON_COUNT, PersonFactory, reserve_person_number
from simulator.postcodes import sample_postcodes_of_council
from simulator.referrals import CouncilReferrals

_POSTCODES_PER_DISTRICT: Final = 40


def find_area_code(name: str | None) -> AreaCode | None:
    """The code of an area that the chosen council's framework serves, from its code or its name."""
    council = get_council()
    if council not in MARKET_BUILDERS:
        message = f"there are no invented adults of {council}; choose {', '.join(MARKET_BUILDERS)}"
        raise typer.BadParameter(message)
    if name is None:
        return None
    areas = list_served_areas(load_definition(council))
    for area in areas:
        if name.casefold() in {area.code.casefold(), area.name.casefold()}:
            return area.code
    message = f"no area of {council} has this name; choose {', '.join(area.name for area in areas)}"
    raise typer.BadParameter(message)


def post_referral(
    *,
    urgent: Annotated[bool, typer.Option(help="A hospital discharge: offered at any hour.")] = False,
    district: Annotated[
        str | None, typer.Option(callback=find_area_code, help="Colchester, or E07000071; another council's area.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Post a referral for a new invented adult."""
    posted = run_command(_post(urgent=urgent, district=district))
    if as_json:
        print_json(posted.model_dump_json())
        return
    print_line(f"Referral {posted.referral_id} is accepted; its package is {posted.package_id}.")


async def _post(*, urgent: bool, district: str | None) -> PostedReferral:
    council = get_council()
    async with connect_to_stack() as stack:
        home = stack.home if stack.installation is None else create_home_for("installation")
        directory = PostcodeDirectory.open(home.postcodes)
        postcodes = sample_postcodes_of_council(directory, council, per_district=_POSTCODES_PER_DISTRICT, seed=SEED)
        referrals = CouncilReferrals(council, PersonFactory(postcodes, seed=SEED), seed=SEED)
        number = reserve_person_number(home.person_counter) if stack.installation is None else _draw_person_number()
        person = referrals.create_person(number, area=district)
        log = JsonLinesWriter[PostedReferral](home.council_log)
        system = Council(
            stack.create_client("council"), stack.get_url(REFERRAL, ""), log, seed=SEED, build=referrals.build_referral
        )
        return await system.post(person, urgent=urgent)


def _draw_person_number() -> int:
    """A random number: others may post to the same installation, and each adult has at most one open referral."""
    return 1 + randbelow(PERSON_COUNT)


if __name__ == "__main__":
    typer.run(post_referral)
