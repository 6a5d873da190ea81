"""Read-only query of an owner's webhook endpoint."""

from dataclasses import dataclass

from sqlalchemy import text

from service_runtime.postgres.database import Reader

_ENDPOINT = text("SELECT url, disabled_because FROM endpoints WHERE owner = :owner")


@dataclass(frozen=True)
class EndpointState:
    """URL of an owner's webhook endpoint, and the reason if it is disabled."""

    url: str
    disabled_because: str | None


async def find_endpoint_state(reader: Reader, owner: str) -> EndpointState | None:
    row = (await reader.execute(_ENDPOINT, {"owner": owner})).one_or_none()
    return None if row is None else EndpointState(row.url, row.disabled_because)
