"""The clients of the identity provider and their scopes: a council's system, officers, providers, operators."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from devstack.errors import UnknownIdentity

COUNCIL: Final = "essex"
PROVIDER: Final = "provider:"


@dataclass(frozen=True)
class Identity:
    """A client of the identity provider; the command line names it by `client_id`."""

    client_id: str
    subject: str
    scopes: tuple[str, ...]
    provider_id: UUID | None = None

    def build_claims(self) -> dict[str, str]:
        provider = {} if self.provider_id is None else {"provider_id": str(self.provider_id)}
        return {"sub": self.subject, "council": COUNCIL, "scope": " ".join(self.scopes), **provider}


KNOWN_IDENTITIES: Final = {
    identity.client_id: identity
    for identity in (
        Identity("council", "council-system-1", ("referrals:write", "referrals:read")),
        Identity("officer", "officer-1", ("sourcing:operate", "referrals:read", "audit:read")),
        Identity("second-officer", "officer-2", ("sourcing:operate", "pricing:admin", "audit:read")),
        Identity("admin", "registry-admin-1", ("registry:admin", "pricing:admin")),
        Identity("operator", "operator-1", ("operations:manage", "audit:read")),
    )
}


def find_identity(client_id: str) -> Identity:
    """`council`, `officer`, `second-officer`, `admin`, `operator` or `provider:<id>`. Raises UnknownIdentity."""
    if client_id in KNOWN_IDENTITIES:
        return KNOWN_IDENTITIES[client_id]
    try:
        return _build_provider_identity(UUID(client_id.removeprefix(PROVIDER)))
    except ValueError:
        names = ", ".join([*KNOWN_IDENTITIES, f"{PROVIDER}<id>"])
        raise UnknownIdentity(f"there is no identity {client_id!r}; choose one of {names}") from None


def _build_provider_identity(provider_id: UUID) -> Identity:
    return Identity(f"{PROVIDER}{provider_id}", f"provider-system:{provider_id}", ("offers:answer",), provider_id)
