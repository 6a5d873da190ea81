"""A definition takes effect by two people."""

from datetime import date, timedelta

import pytest

from contracts.errors import InvalidInput
from contracts.events.frameworks import FrameworkPublished
from contracts.examples import FRAMEWORK
from contracts.framework.definition import FrameworkDefinition
from provider_registry.domain.errors import (
    FrameworkTaken,
    ProposalNotFound,
    ProposedByAnother,
    SameOfficer,
    VersionOutOfTurn,
)
from provider_registry.handlers.frameworks import (
    ApproveFramework,
    ProposeFramework,
    WithdrawProposal,
    approve_framework,
    propose_framework,
    withdraw_proposal,
)
from testkit.clocks import MONDAY_NINE
from testkit.provider_registry.builders import OTHER_COUNCIL, a_framework
from testkit.provider_registry.fakes import InMemoryRegistryWork, RegistryTables, build_unit_of_work

APPROVAL = ApproveFramework(FRAMEWORK, 1, expect=lambda _: None)


def an_officer(tables: RegistryTables, actor: str = "officer:first") -> InMemoryRegistryWork:
    return build_unit_of_work(tables, actor=actor)


async def propose(tables: RegistryTables, definition: FrameworkDefinition, actor: str = "officer:first") -> None:
    await propose_framework(ProposeFramework(definition), an_officer(tables, actor))


async def test_a_proposed_version_is_published_when_another_officer_approves_it() -> None:
    tables = RegistryTables()
    first = an_officer(tables)
    await propose_framework(ProposeFramework(a_framework()), first)
    assert (first.published, tables.definitions) == ([], {})
    second = an_officer(tables, "officer:second")
    assert (await approve_framework(APPROVAL, second)).is_new
    assert second.published == [FrameworkPublished(definition=a_framework())]
    assert (set(tables.definitions), tables.proposals) == ({(FRAMEWORK, 1)}, {})
    assert not (await approve_framework(APPROVAL, an_officer(tables))).is_new


@pytest.mark.parametrize("actor", ["officer:first", "system:first"])
async def test_the_proposer_cannot_approve(actor: str) -> None:
    tables = RegistryTables()
    await propose(tables, a_framework())
    with pytest.raises(SameOfficer, match="you proposed this version yourself; another officer must approve it"):
        await approve_framework(APPROVAL, an_officer(tables, actor))
    assert tables.definitions == {}


async def test_only_its_proposer_replaces_or_withdraws_a_proposal() -> None:
    tables = RegistryTables()
    await propose(tables, a_framework())
    with pytest.raises(ProposedByAnother):
        await propose(tables, a_framework(cap=9), "officer:second")
    with pytest.raises(ProposedByAnother):
        await withdraw_proposal(WithdrawProposal(FRAMEWORK, 1), an_officer(tables, "officer:second"))
    await propose(tables, a_framework(cap=8))
    assert tables.proposals[FRAMEWORK].definition.tiers[0].providers_per_area == 8
    await withdraw_proposal(WithdrawProposal(FRAMEWORK, 1), an_officer(tables))
    with pytest.raises(ProposalNotFound):
        await approve_framework(APPROVAL, an_officer(tables, "officer:second"))


async def test_the_same_proposal_again_stays_as_it_is() -> None:
    tables = RegistryTables()
    await propose(tables, a_framework())
    later = an_officer(tables)
    later.now = MONDAY_NINE + timedelta(hours=1)
    await propose_framework(ProposeFramework(a_framework()), later)
    assert tables.proposals[FRAMEWORK].proposed_at == MONDAY_NINE


async def test_an_approval_names_what_was_read() -> None:
    tables = RegistryTables()
    await propose(tables, a_framework())
    seen: list[int] = []
    await approve_framework(ApproveFramework(FRAMEWORK, 1, expect=seen.append), an_officer(tables, "officer:second"))
    assert seen == [int(MONDAY_NINE.timestamp() * 1_000_000)]


async def test_a_version_out_of_turn_or_of_another_council_is_not_proposed() -> None:
    tables = RegistryTables()
    with pytest.raises(VersionOutOfTurn):
        await propose(tables, a_framework(version=2))
    with pytest.raises(InvalidInput):
        await propose(tables, a_framework(council=OTHER_COUNCIL))
    await propose(tables, a_framework())
    other = build_unit_of_work(tables, council=OTHER_COUNCIL)
    with pytest.raises(FrameworkTaken):
        await propose_framework(ProposeFramework(a_framework(council=OTHER_COUNCIL)), other)
    for handler in (approve_framework(APPROVAL, other), withdraw_proposal(WithdrawProposal(FRAMEWORK, 1), other)):
        with pytest.raises(ProposalNotFound):
            await handler


async def test_the_version_in_force_is_the_newest_whose_first_day_has_come() -> None:
    later = a_framework(version=2, in_force_from=date(2026, 4, 1))
    tables = RegistryTables(definitions={(FRAMEWORK, 1): a_framework(), (FRAMEWORK, 2): later})
    frameworks = an_officer(tables).frameworks
    days = (date(2026, 3, 31), date(2026, 4, 1), date(2020, 1, 1))
    versions = [(await frameworks.load_in_force([FRAMEWORK], on=day))[FRAMEWORK].version for day in days]
    assert versions == [1, 2, 2]
