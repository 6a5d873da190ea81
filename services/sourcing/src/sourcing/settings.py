"""The environment variables that sourcing reads."""

from pydantic import Field, SecretStr

from service_runtime.settings import RuntimeSettings


class Settings(RuntimeSettings):
    """Sourcing's settings, in addition to those of every service."""

    offer_link_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="verifies the links in emails; must equal the key with which provider-registry signs them",
    )
