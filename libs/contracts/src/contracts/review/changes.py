"""One difference between two definitions."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """What a difference is about, what it says, and whom it concerns (empty: everybody)."""

    about: str
    text: str
    concerns: str = ""

    def __str__(self) -> str:
        return f"{self.about}: {self.text}{self.sentence_of_concern}"

    @property
    def sentence_of_concern(self) -> str:
        return f" Concerns {self.concerns}." if self.concerns else ""
