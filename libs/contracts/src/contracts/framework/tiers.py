"""Tiers and the rules for entering them."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from contracts.framework.words import KEY_PATTERN, Description, Word
from contracts.ids import AreaCode, LotKey, NeedKey, TierKey
from contracts.values import Hours, Money, Rating, Value


class KeyQuestion(StrEnum):
    """CQC's key questions; a branch has a rating for each of them, beside the overall one."""

    SAFE = "Safe"
    EFFECTIVE = "Effective"
    CARING = "Caring"
    RESPONSIVE = "Responsive"
    WELL_LED = "Well-led"


class HeldRating(Value):
    """A rating that a branch has, and has had without a break for some months."""

    at_least: Rating
    held_for_months: int = Field(default=0, ge=0, le=120)
    held_until: date | None = Field(
        default=None, description="the day on which the months end, such as the tender's close; none: the day asked for"
    )


class OverallRatingRule(HeldRating):
    """A branch has at least this overall rating."""

    rule: Literal["overall-rating"]
    accepts_not_rated: bool = Field(default=False, description="true: a branch without a published rating passes")


class KeyQuestionRule(HeldRating):
    """A branch has at least this rating for a key question."""

    rule: Literal["key-question"]
    key_question: KeyQuestion


class TurnoverRule(Value):
    """The company has at least this turnover, in pounds a year, shown by accounts."""

    rule: Literal["turnover"]
    at_least: Money
    evidence: Description = ""


class BranchLocationRule(Value):
    """A branch lies within the boundary, or at most so many miles outside it, as the crow flies.

    An officer's recorded finding decides.
    """

    rule: Literal["branch-location"]
    miles: int = Field(default=0, ge=0, le=100, description="0: within the boundary")
    boundary: Description = ""


class SkillRule(Value):
    """The provider has evidence of a skill."""

    rule: Literal["skill"]
    skill: NeedKey = Field(pattern=KEY_PATTERN)


EntryRule = Annotated[
    OverallRatingRule | KeyQuestionRule | TurnoverRule | BranchLocationRule | SkillRule, Field(discriminator="rule")
]
"""A rule for entering a tier and staying in it."""


class AreaHours(Value):
    """The volume that a provider of an area is expected to accept."""

    area: AreaCode
    hours_a_year: Hours


class Expectation(Value):
    """The share of an area's referrals that each provider of a tier is to accept. It informs, it never reorders."""

    share_percent: int = Field(ge=1, le=100)
    areas: tuple[AreaHours, ...] = ()


class Tier(Word):
    """A group of providers that are asked together, with its entry rules. Without lots it exists in every lot."""

    tier: TierKey = Field(pattern=KEY_PATTERN)
    lots: tuple[LotKey, ...] = ()
    providers_per_area: int | None = Field(default=None, ge=1, description="at most; None is no cap")
    entry: tuple[EntryRule, ...] = ()
    expectation: Expectation | None = None

    def exists_in(self, lot: LotKey) -> bool:
        return not self.lots or lot in self.lots

    @property
    def rating_rule(self) -> OverallRatingRule | None:
        return next((rule for rule in self.entry if isinstance(rule, OverallRatingRule)), None)
