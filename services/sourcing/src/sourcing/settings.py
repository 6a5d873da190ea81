"""The environment variables that sourcing reads."""

from pydantic import Field, SecretStr

from service_runtime.settings import RuntimeSettings


class Settings(RuntimeSettings):
    """What sourcing needs beyond what every service reads."""

    offer_link_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="checks the links in mails; the same for provider-registry, which signs them",
    )
