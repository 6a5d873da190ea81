"""The clients of the identity provider and their scopes: a council's system, officers, providers, operators.

Every council has the same set. The default council's are named `officer`, those of the others `oxfordshire/officer`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from devstack.councils import COUNCILS, DEFAULT_COUNCIL
from devstack.errors import UnknownIdentity

PROVIDER: Final = "provider:"
_SEPARATOR: Final = "/"
_COUNCIL: Final = re.compile(r"[a-z0-9-]{2,40}")


@dataclass(frozen=True)
class Identity:
    """A client of the identity provider; the command line names it by `client_id`."""

    client_id: str
    subject: str
    scopes: tuple[str, ...]
    provider_id: UUID | None = None
    council: str = DEFAULT_COUNCIL

    def build_claims(self) -> dict[str, str]:
        provider = {} if self.provider_id is None else {"provider_id": str(self.provider_id)}
        return {"sub": self.subject, "council": self.council, "scope": " ".join(self.scopes), **provider}


_EXAMPLE: Final = f"{list(COUNCILS)[1]}{_SEPARATOR}officer"
KNOWN_IDENTITIES: Final[Mapping[str, Identity]] = {
    identity.client_id: identity
    for identity in (
        Identity("council", "council-system-1", ("referrals:write", "referrals:read")),
        Identity("officer", "officer-1", ("sourcing:operate", "referrals:read", "audit:read")),
        Identity("second-officer", "officer-2", ("sourcing:operate", "pricing:admin", "audit:read")),
        Identity("admin", "registry-admin-1", ("registry:admin", "pricing:admin")),
        Identity("second-admin", "registry-admin-2", ("registry:admin",)),
        Identity("operator", "operator-1", ("operations:manage", "audit:read")),
    )
}
"""The identities of the default council, by client id."""


def make_client_id(council: str, name: str) -> str:
    """Returns the client id of a council's `officer`, `provider:<id>` and so on."""
    return name if council == DEFAULT_COUNCIL else f"{council}{_SEPARATOR}{name}"


def has_council(client_id: str) -> bool:
    """Returns whether a client id names its council."""
    return _SEPARATOR in client_id


def check_council(identity: Identity) -> None:
    """Raises UnknownIdentity unless the identity belongs to a council of the stack on this machine."""
    if identity.council not in COUNCILS:
        raise UnknownIdentity(f"there is no council {identity.council!r}; choose one of {', '.join(COUNCILS)}")


def find_identity(client_id: str) -> Identity:
    """Returns the identity of a name in KNOWN_IDENTITIES or of `provider:<id>`, after `COUNCIL/` that of a council.

    The council need not be one of the stack on this machine. Raises UnknownIdentity.
    """
    council, separator, name = client_id.rpartition(_SEPARATOR)
    council = council if separator else DEFAULT_COUNCIL
    if not _COUNCIL.fullmatch(council):
        raise UnknownIdentity(f"{client_id!r} does not begin with the key of a council, such as {_EXAMPLE}")
    identity = _find_identity_of_default_council(name, client_id)
    if council == DEFAULT_COUNCIL:
        return identity
    # A subject has at most 64 characters; a provider's own id is in it already.
    subject = identity.subject if identity.provider_id else f"{council}-{identity.subject}"
    return replace(identity, client_id=make_client_id(council, name), subject=subject, council=council)


def _find_identity_of_default_council(name: str, client_id: str) -> Identity:
    if name in KNOWN_IDENTITIES:
        return KNOWN_IDENTITIES[name]
    try:
        return _build_provider_identity(UUID(name.removeprefix(PROVIDER)))
    except ValueError:
        names = ", ".join([*KNOWN_IDENTITIES, f"{PROVIDER}<id>"])
        raise UnknownIdentity(f"there is no identity {client_id!r}; choose one of {names}") from None


def _build_provider_identity(provider_id: UUID) -> Identity:
    return Identity(f"{PROVIDER}{provider_id}", f"provider-system:{provider_id}", ("offers:answer",), provider_id)
