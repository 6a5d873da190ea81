"""Callers of pricing and their scopes: the council's staff see all prices, a provider sees its own."""

from typing import Annotated, Final

from fastapi import Depends, Path

from contracts.errors import Forbidden
from contracts.ids import ProviderId
from pricing.ports import PricingQueries
from service_runtime.http.app import inject
from service_runtime.http.auth import Caller, require_scopes
from service_runtime.http.commands import CommandBus, get_command_bus
from service_runtime.http.text_fields import AreaName, FrameworkName

ADMIN: Final = "pricing:admin"
OFFICER: Final = "sourcing:operate"
AUDITOR: Final = "audit:read"
PROVIDER: Final = "offers:answer"

Admin = Annotated[Caller, Depends(require_scopes(ADMIN))]
Staff = Annotated[Caller, Depends(require_scopes((ADMIN, OFFICER)))]
Accounts = Annotated[Caller, Depends(require_scopes((ADMIN, AUDITOR)))]
AdminOrProvider = Annotated[Caller, Depends(require_scopes((ADMIN, PROVIDER)))]
AnyCaller = Annotated[Caller, Depends(require_scopes((ADMIN, OFFICER, AUDITOR, PROVIDER)))]
Queries = Annotated[PricingQueries, inject(PricingQueries)]
Bus = Annotated[CommandBus, Depends(get_command_bus)]

FrameworkPath = Annotated[FrameworkName, Path()]
AreaPath = Annotated[AreaName, Path()]


def get_provider_restriction(caller: Caller) -> ProviderId | None:
    """Returns the provider whose data alone the caller may see, or None for the council's staff."""
    if caller.provider_id is not None or PROVIDER not in caller.scopes:
        return caller.provider_id
    return None if caller.scopes & {ADMIN, OFFICER, AUDITOR} else caller.as_provider


def check_is_officer(caller: Caller) -> None:
    """Raises Forbidden for a provider's token, whatever its scopes: only the council approves prices."""
    if caller.provider_id is not None:
        message = "only the council's officers may use this route; use an officer's token"
        raise Forbidden(message)
