"""The base of all settings: they come from the environment or from files, and contradictions are refused together."""

from collections.abc import Iterable, Iterator
from typing import Final, Self

from pydantic import model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX: Final = "CALLOFF_"


class EnvironmentSettings(BaseSettings):
    """Settings named CALLOFF_… in the environment; an empty variable counts as not set."""

    # A rejected value may be a password, which an error message would write to the log.
    model_config = SettingsConfigDict(
        frozen=True, env_prefix=PREFIX, env_file=None, env_ignore_empty=True, hide_input_in_errors=True
    )

    @model_validator(mode="after")
    def check_contradictions(self) -> Self:
        """Refuses settings that contradict each other, all of them at once."""
        if lines := list(self.find_contradictions()):
            raise ValueError("\n".join(lines))
        return self

    def find_contradictions(self) -> Iterator[str]:
        """Yields a line for each combination of settings that cannot be meant; it names the variables."""
        yield from ()

    def list_set(self, fields: Iterable[str]) -> list[str]:
        """Lists the variables of those of `fields` that have a value."""
        return [to_variable(field) for field in fields if getattr(self, field) is not None]


def to_variable(field: str) -> str:
    """Returns the name of a field in the environment."""
    return f"{PREFIX}{field.upper()}"
