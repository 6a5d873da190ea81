"""Outcome of one entry rule, in words."""

from dataclasses import dataclass

from contracts.values import PassOverReason


@dataclass(frozen=True)
class RuleOutcome:
    """Whether a rule is met, and what it was judged by; `branch` is the name of the branch that it is about."""

    is_met: bool
    words: str
    branch: str | None = None
    reason: PassOverReason = PassOverReason.NOT_ELIGIBLE
    """What is recorded when the provider is passed over because the rule is not met."""
