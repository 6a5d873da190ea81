"""Rule about where a branch lies; an officer's recorded finding decides."""

from datetime import datetime

from contracts.framework.tiers import BranchLocationRule
from contracts.ids import FrameworkKey
from contracts.office_time import to_office_date
from provider_registry.domain.dates import format_day
from provider_registry.domain.entry_rules.outcomes import RuleOutcome
from provider_registry.domain.provider import Branch


def check_branch_location(
    rule: BranchLocationRule, branch: Branch, *, framework: FrameworkKey, at: datetime
) -> RuleOutcome:
    """Exactly as many miles as the rule states are near enough."""
    asked = f"within the boundary or at most {rule.miles} miles outside it" if rule.miles else "within the boundary"
    finding = branch.find_location(framework, at)
    if finding is None:
        return RuleOutcome(is_met=False, words=f"no officer's finding recorded, {asked} is asked", branch=branch.name)
    place = "within the boundary" if finding.within else f"{finding.miles:.2f} miles outside the boundary"
    words = f"found {place} on {format_day(to_office_date(finding.found_at))}, {asked} is asked"
    return RuleOutcome(finding.within or finding.miles <= rule.miles, words, branch.name)
