"""Contradictions between the sections of a framework definition, each of which is valid by itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic_core import PydanticCustomError


@dataclass(frozen=True)
class Contradiction:
    """A value that is valid by itself and contradicts another section."""

    path: tuple[str | int, ...]
    reason: str

    def to_error(self) -> PydanticCustomError:
        return PydanticCustomError("disagreement", "{reason}", {"reason": self.reason})


def find_duplicates(path: str, names: Sequence[object]) -> Iterable[Contradiction]:
    """Yields a contradiction for each repeated name; `[]` in `path` stands for its position: `areas[].code`."""
    before, _, after = path.partition("[]")
    seen = set[object]()
    for position, name in enumerate(names):
        if name in seen:
            place = (*before.split("."), position, *after.lstrip(".").split())
            yield Contradiction(place, "is given twice; keep one of the two")
        seen.add(name)
