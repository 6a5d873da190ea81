"""The passwords and keys of one stack: random, made once, and readable by their owner only."""

import base64
import hashlib
import hmac
import secrets
from typing import Self

from joserfc.jwk import OKPKey
from pydantic import BaseModel, ConfigDict, Field

from devstack.home import Home, write_private

TOKEN_ALGORITHM = "Ed25519"  # noqa: S105 - a name, no secret


def _password() -> str:
    return secrets.token_urlsafe(24)


def _vault_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _signing_key() -> dict[str, str]:
    key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": TOKEN_ALGORITHM}, auto_kid=True)
    return {name: str(value) for name, value in key.as_dict(private=True).items()}


class Keys(BaseModel):
    """What `secrets.json` holds."""

    model_config = ConfigDict(frozen=True)

    databases: dict[str, str] = Field(default_factory=dict[str, str], description="password by role")
    fingerprints: str = Field(default_factory=_password)
    webhook_vault: str = Field(default_factory=_vault_key)
    offer_links: str = Field(default_factory=_password, description="signs the links in mails, and checks them")
    clients: str = Field(default_factory=_password, description="what the clients' own secrets are derived from")
    simulation: str = Field(default_factory=_password, description="who knows it may move a simulated clock")
    token_signing: dict[str, str] = Field(default_factory=_signing_key, description="a private JWK")

    @classmethod
    def of(cls, home: Home, *, roles: tuple[str, ...] = ()) -> Self:
        """The keys of a stack, made where there are none; every role has a password."""
        kept = home.secrets.read_text(encoding="utf-8") if home.secrets.exists() else "{}"
        known = cls.model_validate_json(kept)
        passwords = {role: known.databases.get(role) or _password() for role in roles}
        keys = known.model_copy(update={"databases": known.databases | passwords})
        said = keys.model_dump_json(indent=2)
        if said != kept:
            write_private(home.secrets, said)
        return keys

    def client_secret(self, client_id: str) -> str:
        """The OAuth2 client secret of a client: derived, so that two hundred of them need not be kept."""
        return hmac.new(self.clients.encode(), client_id.encode(), hashlib.sha256).hexdigest()
