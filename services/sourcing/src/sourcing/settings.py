"""The environment variables that sourcing reads."""

from pydantic import Field

from service_runtime.settings import RuntimeSettings
from service_runtime.settings_types import EncryptionKeys, Key


class Settings(RuntimeSettings):
    """Sourcing's settings, in addition to those of every service."""

    text_keys: EncryptionKeys = Field(
        description="a JSON list of keys, 32 bytes in base64 each: the first encrypts bids, questions and notes, all "
        "decrypt them"
    )
    offer_link_key: Key | None = Field(
        default=None,
        description="verifies the links in emails; must equal the key with which provider-registry signs them",
    )
