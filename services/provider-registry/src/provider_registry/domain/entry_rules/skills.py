"""Rule about evidence of a specialist skill."""

from collections.abc import Sequence
from datetime import date

from contracts.framework.tiers import SkillRule
from contracts.values import PassOverReason
from provider_registry.domain.entry_rules.outcomes import RuleOutcome
from provider_registry.domain.skills import SkillEvidence


def check_skill(rule: SkillRule, skills: Sequence[SkillEvidence], *, title: str, on: date) -> RuleOutcome:
    """Evidence counts from its first to its last day."""
    found = next((each for each in skills if each.skill == rule.skill and each.is_valid(on)), None)
    words = f"no evidence of the skill {title}" if found is None else f"evidence of the skill {title}: {found}"
    return RuleOutcome(found is not None, words, reason=PassOverReason.NO_EVIDENCE_OF_SKILL)
