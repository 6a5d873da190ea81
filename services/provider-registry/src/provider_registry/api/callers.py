"""Who may ask the registry for what: the council's staff for all of its market, a provider for itself."""

from typing import Annotated, Final

from fastapi import Depends

from contracts.catalogue import PROVIDERS
from contracts.ids import ProviderId
from provider_registry.domain.errors import ProviderNotFound
from provider_registry.ports import RegistryQueries
from service_runtime.http.app import injected
from service_runtime.http.auth import Caller, requires
from service_runtime.http.commands import CommandBus, command_bus
from service_runtime.unit_of_work.streams import StreamKey

ADMIN: Final = "registry:admin"
OFFICER: Final = "sourcing:operate"
PROVIDER: Final = "offers:answer"

Admin = Annotated[Caller, Depends(requires(ADMIN))]
Staff = Annotated[Caller, Depends(requires((ADMIN, OFFICER)))]
AdminOrProvider = Annotated[Caller, Depends(requires((ADMIN, PROVIDER)))]
Anybody = Annotated[Caller, Depends(requires((ADMIN, OFFICER, PROVIDER)))]
Queries = Annotated[RegistryQueries, injected(RegistryQueries)]
Bus = Annotated[CommandBus, Depends(command_bus)]


def check_own(provider_id: ProviderId, caller: Caller) -> None:
    """A provider sees only itself; to it another one is as unknown as one that does not exist."""
    if caller.scopes & {ADMIN, OFFICER} or caller.provider_id == provider_id:
        return
    raise ProviderNotFound


def stream_of(provider_id: ProviderId) -> StreamKey:
    return StreamKey(PROVIDERS, str(provider_id))
