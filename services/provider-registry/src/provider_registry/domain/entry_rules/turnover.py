"""Rule about the company's turnover, shown by accounts."""

from contracts.framework.tiers import TurnoverRule
from provider_registry.domain.entry_rules.outcomes import RuleOutcome
from provider_registry.domain.provider import Profile


def check_turnover(rule: TurnoverRule, profile: Profile) -> RuleOutcome:
    """A turnover without evidence does not count."""
    asked = f"at least £{rule.at_least:,.2f} a year is asked"
    if profile.turnover is None or profile.turnover_evidence is None:
        return RuleOutcome(is_met=False, words=f"no evidence of turnover, {asked}")
    words = f"turnover £{profile.turnover:,.2f} a year by {profile.turnover_evidence}, {asked}"
    return RuleOutcome(profile.turnover >= rule.at_least, words)
