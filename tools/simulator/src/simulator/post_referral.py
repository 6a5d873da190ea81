"""`calloff referral post`: posts a referral for a new invented adult."""

from secrets import randbelow
from typing import Annotated, Final

import typer

from calloff.commands.output import JsonOption, print_json, print_line, run_command
from calloff.connection import connect_to_stack
from devstack.home import create_home_for
from devstack.json_lines import JsonLinesWriter
from devstack.names import REFERRAL
from geography import ESSEX_DISTRICTS, PostcodeDirectory
from simulator import SEED
from simulator.council import Council, PostedReferral
from simulator.person_factory import PERSON_COUNT, PersonFactory, reserve_person_number
from simulator.postcodes import sample_postcodes

_POSTCODES_PER_DISTRICT: Final = 40


def find_district_code(name: str | None) -> str | None:
    """The code of a district of Essex, from its code or its name."""
    if name is None:
        return None
    for district in ESSEX_DISTRICTS:
        if name.casefold() in {district.code.casefold(), str(district).casefold()}:
            return district.code
    message = f"no district of Essex has this name; choose {', '.join(map(str, ESSEX_DISTRICTS))}"
    raise typer.BadParameter(message)


def post_referral(
    *,
    urgent: Annotated[bool, typer.Option(help="A hospital discharge: offered at any hour.")] = False,
    district: Annotated[str | None, typer.Option(callback=find_district_code, help="Colchester, or E07000071.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Post a referral for a new invented adult."""
    posted = run_command(_post(urgent=urgent, district=district))
    if as_json:
        print_json(posted.model_dump_json())
        return
    print_line(f"Referral {posted.referral_id} is accepted; its package is {posted.package_id}.")


async def _post(*, urgent: bool, district: str | None) -> PostedReferral:
    async with connect_to_stack() as stack:
        home = stack.home if stack.installation is None else create_home_for("installation")
        directory = PostcodeDirectory.open(home.postcodes)
        people = PersonFactory(sample_postcodes(directory, per_district=_POSTCODES_PER_DISTRICT, seed=SEED), seed=SEED)
        number = reserve_person_number(home.person_counter) if stack.installation is None else _draw_person_number()
        person = people.create_person(number, area=district)
        log = JsonLinesWriter[PostedReferral](home.council_log)
        council = Council(stack.create_client("council"), stack.get_url(REFERRAL, ""), log, seed=SEED)
        return await council.post(person, urgent=urgent)


def _draw_person_number() -> int:
    """A random number: others may post to the same installation, and each adult has at most one open referral."""
    return 1 + randbelow(PERSON_COUNT)


if __name__ == "__main__":
    typer.run(post_referral)
