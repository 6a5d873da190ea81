"""Webhook endpoints and their health in memory; the endpoints pass the same suite as those on PostgreSQL."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from service_runtime.webhooks.endpoint_health import EndpointHealth
from service_runtime.webhooks.endpoints import Endpoint, EndpointNotFound


@dataclass
class InMemoryEndpoints:
    """The endpoints of `rows`, by owner. Secrets are fixed texts and are not stored."""

    rows: dict[str, Endpoint]
    now: datetime

    async def put(self, owner: str, url: str) -> str | None:
        known = self.rows.get(owner)
        until = known.previous_secret_until if known is not None else None
        self.rows[owner] = Endpoint(owner, url, None, until, self.now)
        return None if known is not None else "whsec_invented"

    async def get(self, owner: str) -> Endpoint | None:
        return self.rows.get(owner)

    async def rotate_secret(self, owner: str, *, overlap: timedelta) -> str:
        if owner not in self.rows:
            message = "there is no webhook endpoint; register one first"
            raise EndpointNotFound(message)
        self.rows[owner] = replace(self.rows[owner], previous_secret_until=self.now + overlap)
        return "whsec_rotated"

    async def delete_previous_secrets(self, owner: str) -> None:
        if owner not in self.rows:
            message = "there is no webhook endpoint; register one first"
            raise EndpointNotFound(message)
        self.rows[owner] = replace(self.rows[owner], previous_secret_until=None)

    async def disable(self, owner: str, *, because: str) -> bool:
        known = self.rows.get(owner)
        if known is None or known.disabled_because is not None:
            return False
        self.rows[owner] = replace(known, disabled_because=because)
        return True


@dataclass
class InMemoryEndpointHealth:
    """The health of failing endpoints by owner, as a test puts it."""

    rows: dict[str, EndpointHealth]
    now: datetime

    async def load(self, owner: str) -> EndpointHealth | None:
        return self.rows.get(owner)

    def record_notice(self, owner: str, health: EndpointHealth) -> None:
        self.rows[owner] = replace(health, notice_at=self.now)

    def clear(self, owner: str, health: EndpointHealth) -> None:  # noqa: ARG002  the Protocol names it
        del self.rows[owner]
