"""Choices by a seed, with which generated values are made: the same seed makes the same choices."""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Final, TypeVar

WordT = TypeVar("WordT")

OFTEN: Final = 0.87
RARELY: Final = 0.13
NEARLY_ALWAYS: Final = 0.97


class Choices:
    """A source of chance. One draw of Hypothesis is the seed of thousands of choices, which is fast and varied."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - a test needs the same choices again

    def choose(self, words: Iterable[WordT]) -> WordT:
        return self._random.choice(tuple(words))

    def choose_some(self, words: Sequence[WordT], *, at_least: int = 0) -> tuple[WordT, ...]:
        """Chooses some of the words, in their order."""
        size = self._random.randint(min(at_least, len(words)), len(words))
        chosen = set(self._random.sample(range(len(words)), size))
        return tuple(word for position, word in enumerate(words) if position in chosen)

    def shuffle(self, words: Sequence[WordT]) -> list[WordT]:
        return self._random.sample(words, len(words))

    def choose_number(self, lowest: int, highest: int) -> int:
        return self._random.randint(lowest, highest)

    def happens(self, share: float = 0.5) -> bool:
        """Returns True in this share of cases."""
        return self._random.random() < share
