"""The environment variables that audit reads."""

from service_runtime.settings import RuntimeSettings


class Settings(RuntimeSettings):
    """Audit needs nothing beyond what every service reads."""
