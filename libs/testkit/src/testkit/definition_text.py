"""The text of a small valid definition, which tests of reading change in one place."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from contracts.bank_holidays import list_bank_holidays
from contracts.definition_problems import DefinitionProblem, DefinitionRefused
from contracts.definitions import read_definition

SOURCE: Final = "example.yaml"
_TEMPLATE: Final = """\
framework: an-example
version: 1
council: amberside
title: An example
source: invented for tests
runs_from: 2025-11-09
runs_until: 2026-11-08
areas:
  - {code: E07000071, name: Colchester}
  - {code: E07000073, name: Harlow}
service_types:
  - {service_type: personal-care, title: Personal care}
lots:
  - {lot: home-care, title: Home care}
tiers:
  - tier: tier-1
    title: Tier 1
    entry:
      - {rule: overall-rating, at_least: Good}
      - {rule: turnover, at_least: 290000}
units:
  - {unit: hour, title: hour, kind: hour}
routes:
  - {route: community, title: Community}
skills:
  - {skill: hoist, title: Hoist}
circumstances:
  - {circumstance: key-safe, title: Key safe}
reasons:
  decline: [{reason: no-capacity, title: No capacity}]
  withdrawal: [{reason: no-longer-needed, title: No longer needed}]
brokerage:
  opens: "08:30"
  closes: "17:00"
  bank_holidays: [HOLIDAYS]
  overrides: []
prices:
  invented: true
  price_list: invented-1
  matrix:
    - {service_type: personal-care, unit: hour, rate: 24.10}
sourcing:
  - stage: tier-1
    procedure: sequential-offers
    to: {tiers: [tier-1]}
    undeliverable_after: PT2M
    answer_within:
      webhook: PT30M
"""


def write_definition(holidays: Sequence[date] = list_bank_holidays(range(2025, 2027))) -> str:
    """Returns the text of a valid definition with these bank holidays on one line."""
    return _TEMPLATE.replace("HOLIDAYS", ", ".join(map(str, holidays)))


def change_text(text: str, *changes: tuple[str, str]) -> str:
    """Replaces each first text of `changes`, which stands in the text exactly once, by the second one."""
    for before, after in changes:
        assert text.count(before) == 1, f"{before!r} stands {text.count(before)} times in the text"
        text = text.replace(before, after)
    return text


def list_problems(text: str) -> Sequence[DefinitionProblem]:
    """Returns the problems for which the definition is refused; none if it is accepted."""
    try:
        read_definition(text, source=SOURCE)
    except DefinitionRefused as refused:
        return refused.problems
    return ()
