"""The environment variables that sourcing reads."""

from service_runtime.settings import RuntimeSettings


class Settings(RuntimeSettings):
    """Sourcing needs nothing beyond what every service reads."""
