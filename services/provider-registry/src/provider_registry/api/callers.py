"""Callers of the registry and their scopes: the council's staff see its whole market, a provider itself."""

from typing import Annotated, Final

from fastapi import Depends

from contracts.catalogue import PROVIDERS
from contracts.ids import ProviderId
from provider_registry.domain.errors import ProviderNotFound
from provider_registry.ports import RegistryQueries
from service_runtime.http.app import inject
from service_runtime.http.auth import Caller, require_scopes
from service_runtime.http.commands import CommandBus, get_command_bus
from service_runtime.unit_of_work.streams import StreamKey

ADMIN: Final = "registry:admin"
OFFICER: Final = "sourcing:operate"
PROVIDER: Final = "offers:answer"

Admin = Annotated[Caller, Depends(require_scopes(ADMIN))]
Officer = Annotated[Caller, Depends(require_scopes(OFFICER))]
Staff = Annotated[Caller, Depends(require_scopes((ADMIN, OFFICER)))]
AdminOrProvider = Annotated[Caller, Depends(require_scopes((ADMIN, PROVIDER)))]
AnyCaller = Annotated[Caller, Depends(require_scopes((ADMIN, OFFICER, PROVIDER)))]
Queries = Annotated[RegistryQueries, inject(RegistryQueries)]
Bus = Annotated[CommandBus, Depends(get_command_bus)]


def check_own(provider_id: ProviderId, caller: Caller) -> None:
    """Raises ProviderNotFound unless the caller is staff or the provider itself."""
    if caller.scopes & {ADMIN, OFFICER} or caller.provider_id == provider_id:
        return
    raise ProviderNotFound


def build_stream_key(provider_id: ProviderId) -> StreamKey:
    return StreamKey(PROVIDERS, str(provider_id))
