"""Checks all entry rules of a tier for one provider.

One branch must meet all rules about branches; what is about the company is looked at once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.tiers import (
    BranchLocationRule,
    EntryRule,
    KeyQuestionRule,
    OverallRatingRule,
    Tier,
    TurnoverRule,
)
from contracts.framework.titles import Titles
from contracts.office_time import to_office_date
from provider_registry.domain.entry_rules.branch_location import check_branch_location
from provider_registry.domain.entry_rules.outcomes import RuleOutcome
from provider_registry.domain.entry_rules.ratings import check_key_question, check_overall_rating
from provider_registry.domain.entry_rules.skills import check_skill
from provider_registry.domain.entry_rules.turnover import check_turnover
from provider_registry.domain.provider import Branch, Provider

BranchRule = OverallRatingRule | KeyQuestionRule | BranchLocationRule
_NO_BRANCH: Final = RuleOutcome(is_met=False, words="no branch is registered for domiciliary care and active")


def check_entry_rules(
    provider: Provider, tier: Tier, definition: FrameworkDefinition, *, at: datetime
) -> tuple[RuleOutcome, ...]:
    """Returns the outcome of each rule, for the branch that meets the most rules about branches.

    Without a branch that may give home care nobody is eligible, whatever the tier asks for.
    """
    branches = [branch for branch in provider.branches if branch.may_give_home_care]
    rules = [rule for rule in tier.entry if isinstance(rule, BranchRule)]
    by_branch = [[_check_branch(rule, branch, definition, at) for rule in rules] for branch in branches]
    if not branches:
        of_branch: Sequence[RuleOutcome] = [_NO_BRANCH]
    else:
        of_branch = max(by_branch, key=lambda outcomes: sum(each.is_met for each in outcomes))
    of_provider = (_check_provider(rule, provider, definition, at) for rule in tier.entry)
    return (*of_branch, *(each for each in of_provider if each is not None))


def _check_branch(rule: BranchRule, branch: Branch, definition: FrameworkDefinition, at: datetime) -> RuleOutcome:
    match rule:
        case OverallRatingRule():
            return check_overall_rating(rule, branch, on=to_office_date(at))
        case KeyQuestionRule():
            return check_key_question(rule, branch, on=to_office_date(at))
        case BranchLocationRule():
            return check_branch_location(rule, branch, framework=definition.framework, at=at)


def _check_provider(
    rule: EntryRule, provider: Provider, definition: FrameworkDefinition, at: datetime
) -> RuleOutcome | None:
    """Returns None for a rule about branches."""
    if isinstance(rule, BranchRule):
        return None
    if isinstance(rule, TurnoverRule):
        return check_turnover(rule, provider.profile)
    title = Titles(definition).get_need(rule.skill)
    return check_skill(rule, provider.skills, title=title, on=to_office_date(at))
