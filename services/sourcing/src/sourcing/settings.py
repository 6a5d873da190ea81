"""The environment variables that sourcing reads."""

from pydantic import Field

from service_runtime.settings import RuntimeSettings
from service_runtime.settings_types import Key


class Settings(RuntimeSettings):
    """Sourcing's settings, in addition to those of every service."""

    offer_link_key: Key | None = Field(
        default=None,
        description="verifies the links in emails; must equal the key with which provider-registry signs them",
    )
