"""Compares the words of two definitions: which are new, which are gone, and what is said otherwise of the others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, cast

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.words import Area, Word
from contracts.review.changes import Change
from contracts.review.phrases import join_words

Words = Sequence[Word | Area]
SECTIONS: Final[Mapping[str, tuple[str, Callable[[FrameworkDefinition], Words]]]] = {
    "Areas": ("code", lambda each: each.areas),
    "Service types": ("service_type", lambda each: each.service_types),
    "Lots": ("lot", lambda each: each.lots),
    "Tiers": ("tier", lambda each: each.tiers),
    "Units": ("unit", lambda each: each.units),
    "Routes": ("route", lambda each: each.routes),
    "Skills": ("skill", lambda each: each.skills),
    "Circumstances": ("circumstance", lambda each: each.circumstances),
    "Travel bands": ("band", lambda each: each.travel_bands),
    "Groups of ranked lists": ("group", lambda each: each.list_groups),
    "Reasons to decline": ("reason", lambda each: each.reasons.decline),
    "Reasons to withdraw": ("reason", lambda each: each.reasons.withdrawal),
    "Reasons to refuse a price": ("reason", lambda each: each.reasons.price_refusal),
    "Reasons to award to a provider rated Inadequate": ("reason", lambda each: each.reasons.inadequate_award),
    "Other ways to deliver": ("reason", lambda each: each.reasons.variation),
    "Reasons of officers": ("reason", lambda each: each.reasons.officer),
    "Reasons for a score": ("reason", lambda each: each.reasons.score),
    "Reasons to overrule a competition": ("reason", lambda each: each.reasons.overrule),
    "Reasons to end a competition early": ("reason", lambda each: each.reasons.competition_end),
}
"""The sections of words by their names, each with the field that holds a word's key."""
_COMPARED_ELSEWHERE: Final = frozenset({"lots", "providers_per_area", "entry", "expectation"})
"""What is said of a tier in sentences (`contracts.review.rules`)."""


def compare_words(before: FrameworkDefinition, after: FrameworkDefinition) -> Iterator[Change]:
    for about, (key, list_words) in SECTIONS.items():
        one = {str(getattr(word, key)): word for word in list_words(before)}
        other = {str(getattr(word, key)): word for word in list_words(after)}
        yield from _compare_keys(about, one, other)
        for name, word in other.items():
            if (old := one.get(name)) is not None:
                yield from _compare_word(about, old, word)
        if list(one) != list(other) and set(one) == set(other):
            yield Change(about, f"in another order: {', '.join(map(_name, other.values()))}.")


def _compare_keys(about: str, one: Mapping[str, Word | Area], other: Mapping[str, Word | Area]) -> Iterator[Change]:
    gone = [_name(one[key]) for key in one if key not in other]
    new = [_name(other[key]) for key in other if key not in one]
    if new:
        yield Change(about, f"{', '.join(new)} new.")
    if gone:
        yield Change(about, f"{', '.join(gone)} not any more.")


def _compare_word(about: str, one: Word | Area, other: Word | Area) -> Iterator[Change]:
    for field in type(other).model_fields:
        before, after = getattr(one, field), getattr(other, field)
        if before != after and field not in _COMPARED_ELSEWHERE:
            what = field.replace("_", " ")
            yield Change(f"{about}, {_name(other)}", f"{what} was {_format(before)}, now {_format(after)}.")


def _name(word: Word | Area) -> str:
    return word.name if isinstance(word, Area) else word.title


def _format(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)  # isinstance says nothing about the type of its items
        return join_words([str(item) for item in items]) if items else "nothing"
    return "nothing" if value in {None, ""} else str(value)
