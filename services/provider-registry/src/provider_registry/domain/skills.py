"""Evidence of a provider's specialist skills, with dates; skills are a closed list of the council's frameworks."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from contracts.errors import FieldError, InvalidInput
from contracts.ids import NeedKey
from provider_registry.domain.dates import format_day


@dataclass(frozen=True)
class SkillEvidence:
    """Evidence of one skill; its first and last day are inclusive."""

    skill: NeedKey
    evidence: str
    """A reference: a certificate's number, a document. No name of a person."""
    valid_from: date
    valid_until: date | None = None

    def is_valid(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)

    def __str__(self) -> str:
        until = "" if self.valid_until is None else f" until {format_day(self.valid_until)}"
        return f"{self.evidence}, from {format_day(self.valid_from)}{until}"


def list_skills(skills: Sequence[SkillEvidence], on: date) -> tuple[NeedKey, ...]:
    """Returns the skills of which there is evidence on a day, in order."""
    return tuple(sorted({each.skill for each in skills if each.is_valid(on)}))


def validate_skills(skills: Sequence[SkillEvidence], *, known: Collection[NeedKey]) -> tuple[SkillEvidence, ...]:
    """Returns the skills in order. Raises InvalidInput naming each unknown skill and each wrong day."""
    wrong = [error for position, each in enumerate(skills) for error in _find_errors(each, position, known)]
    if wrong:
        raise InvalidInput(*wrong)
    return tuple(sorted(set(skills), key=lambda each: (each.skill, each.valid_from, each.evidence)))


def _find_errors(skill: SkillEvidence, position: int, known: Collection[NeedKey]) -> Iterator[FieldError]:
    if skill.skill not in known:
        detail = "is no skill of your council's frameworks; their definitions list them"
        yield FieldError(f"#/skills/{position}/skill", detail)
    if skill.valid_until is not None and skill.valid_until < skill.valid_from:
        yield FieldError(f"#/skills/{position}/valid_until", "is before valid_from, the evidence's first day")
