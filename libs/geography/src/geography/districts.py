"""Local authority districts by GSS code (Government Statistical Service)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class District:
    """A lower-tier or unitary authority. Its name is a word of a framework's definition, where it is an area."""

    code: str

    def __str__(self) -> str:
        return self.code
