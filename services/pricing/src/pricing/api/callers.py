"""Who may ask pricing for what: the council's staff for all of its money, a provider for its own."""

from typing import Annotated, Final

from fastapi import Depends, Path

from contracts.errors import Forbidden
from contracts.ids import AreaCode, FrameworkKey, ProviderId
from pricing.ports import PricingQueries
from service_runtime.http.app import injected
from service_runtime.http.auth import Caller, requires
from service_runtime.http.commands import CommandBus, command_bus

ADMIN: Final = "pricing:admin"
OFFICER: Final = "sourcing:operate"
AUDITOR: Final = "audit:read"
PROVIDER: Final = "offers:answer"

Admin = Annotated[Caller, Depends(requires(ADMIN))]
Staff = Annotated[Caller, Depends(requires((ADMIN, OFFICER)))]
Accounts = Annotated[Caller, Depends(requires((ADMIN, AUDITOR)))]
AdminOrProvider = Annotated[Caller, Depends(requires((ADMIN, PROVIDER)))]
Anybody = Annotated[Caller, Depends(requires((ADMIN, OFFICER, AUDITOR, PROVIDER)))]
Queries = Annotated[PricingQueries, injected(PricingQueries)]
Bus = Annotated[CommandBus, Depends(command_bus)]

FrameworkName = Annotated[FrameworkKey, Path(pattern=r"^[a-z0-9-]{3,60}$")]
AreaName = Annotated[AreaCode, Path(pattern=r"^[A-Za-z0-9-]{2,32}$")]


def only_of(caller: Caller) -> ProviderId | None:
    """The provider to whose own the caller is kept, whatever its scopes; None for the council's staff."""
    if caller.provider_id is not None or PROVIDER not in caller.scopes:
        return caller.provider_id
    return None if caller.scopes & {ADMIN, OFFICER, AUDITOR} else caller.as_provider


def check_is_officer(caller: Caller) -> None:
    """Prices are approved by the council. Raises Forbidden for a provider's token, whatever its scopes."""
    if caller.provider_id is not None:
        message = "this is for the council's officers: the token is a provider's"
        raise Forbidden(message)
