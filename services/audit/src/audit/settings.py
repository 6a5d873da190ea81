"""The environment variables that audit reads."""

from service_runtime.settings import RuntimeSettings


class Settings(RuntimeSettings):
    """The settings of every service; audit has none of its own."""
