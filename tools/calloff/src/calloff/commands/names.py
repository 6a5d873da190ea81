"""Names instead of ids, both ways: of districts, and of the providers that `calloff up` registers."""

from functools import cache
from uuid import UUID

import typer

from geography import ESSEX_DISTRICTS
from simulator import SEED
from simulator.market import Market, invented_market


def district_code_of(name: str | None) -> str | None:
    """By its code or its name."""
    if name is None:
        return None
    for district in ESSEX_DISTRICTS:
        if name.casefold() in {district.code.casefold(), str(district).casefold()}:
            return district.code
    message = f"no district of Essex; choose {', '.join(map(str, ESSEX_DISTRICTS))}"
    raise typer.BadParameter(message)


def district_name(code: str) -> str:
    return next((str(district) for district in ESSEX_DISTRICTS if district.code == code), code)


def provider_id_of(name: str) -> UUID:
    """By its id, or by its invented number: 17 is the one whose name ends in 017."""
    try:
        return _market().providers[int(name) - 1].provider_id if name.isdigit() else UUID(name)
    except (ValueError, IndexError):
        message = "no such provider; give its id, or the number that its invented name ends in"
        raise typer.BadParameter(message) from None


def provider_name(provider_id: UUID) -> str:
    """Its id where it is none of the invented ones."""
    known = (each.name for each in _market().providers if each.provider_id == provider_id)
    return next(known, str(provider_id))


@cache
def _market() -> Market:
    return invented_market(seed=SEED)
