"""The environment variables that pricing reads."""

from service_runtime.settings import RuntimeSettings


class Settings(RuntimeSettings):
    """Settings of pricing: the settings common to all services."""
