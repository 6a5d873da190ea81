"""The passwords and keys of one stack: random, generated once, and readable by their owner only."""

import base64
import hashlib
import hmac
import secrets
from typing import Self

from joserfc.jwk import OKPKey
from pydantic import BaseModel, ConfigDict, Field

from devstack.home import Home, write_private

TOKEN_ALGORITHM = "Ed25519"  # noqa: S105 - a name, no secret


def _generate_password() -> str:
    return secrets.token_urlsafe(24)


def _generate_encryption_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _generate_signing_key() -> dict[str, str]:
    key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": TOKEN_ALGORITHM}, auto_kid=True)
    return {name: str(value) for name, value in key.as_dict(private=True).items()}


class StackKeys(BaseModel):
    """The content of `secrets.json`."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    databases: dict[str, str] = Field(default_factory=dict[str, str], description="password by role")
    fingerprints: str = Field(default_factory=_generate_password)
    webhook_encryption: str = Field(alias="webhook_vault", default_factory=_generate_encryption_key)
    text_encryption: str = Field(default_factory=_generate_encryption_key, description="encrypts bids and notes")
    offer_links: str = Field(default_factory=_generate_password, description="signs the links in mails")
    clients: str = Field(default_factory=_generate_password, description="clients' own secrets are derived from it")
    simulation: str = Field(default_factory=_generate_password, description="authorizes moves of a simulated clock")
    token_signing: dict[str, str] = Field(default_factory=_generate_signing_key, description="a private JWK")

    @classmethod
    def load(cls, home: Home, *, roles: tuple[str, ...] = ()) -> Self:
        """Reads the keys of a stack; generates those that are missing, and a password for each role."""
        stored = home.secrets_file.read_text(encoding="utf-8") if home.secrets_file.exists() else "{}"
        known = cls.model_validate_json(stored)
        passwords = {role: known.databases.get(role) or _generate_password() for role in roles}
        keys = known.model_copy(update={"databases": known.databases | passwords})
        updated = keys.model_dump_json(indent=2, by_alias=True)
        if updated != stored:
            write_private(home.secrets_file, updated)
        return keys

    def derive_client_secret(self, client_id: str) -> str:
        """The OAuth2 client secret of a client; derived from `clients`, so no list of secrets is stored."""
        return hmac.new(self.clients.encode(), client_id.encode(), hashlib.sha256).hexdigest()
