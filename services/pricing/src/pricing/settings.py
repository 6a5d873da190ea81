"""The environment variables that pricing reads."""

from service_runtime.settings import RuntimeSettings


class Settings(RuntimeSettings):
    """Pricing needs nothing beyond what every service reads."""
