"""The evidence of a package over HTTP: everything that a replay needs, of the own council only."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from audit.domain.records import RawRecord
from contracts.events.base import Event
from contracts.events.frameworks import FrameworkPublished, RankedListPublished
from contracts.events.providers import CapacityDeclared, ChannelsChanged, EligibilityChanged, Place, ProviderEmbargoed
from contracts.events.rates import RatesSelected
from contracts.events.searches import PackagePlaced, PlacementVoided
from contracts.example_words import LOT, Tiers
from contracts.examples import COLCHESTER, a_definition, an_example_of
from contracts.ids import AreaCode, CouncilKey, PackageId, PlacementId, ProviderId
from testkit.audit.builders import RecordBuilder
from testkit.audit.complete_case import NAMES, PACKAGE_RECORD_COUNT, CompleteCase
from testkit.audit.harness import AuditHarness
from testkit.databases import fetch_number
from testkit.waiting import wait_until

ELSEWHERE = AreaCode("E07000999")


@dataclass
class Story:
    """A complete case, and further events of its council or of another one about the same framework."""

    harness: AuditHarness
    case: CompleteCase
    holder: ProviderId = field(default_factory=lambda: ProviderId(uuid4()))
    """Has a place in the area, and is on no list."""

    async def publish(
        self, *events: Event, council: CouncilKey | None = None, after: timedelta = timedelta(hours=-1)
    ) -> None:
        """Publishes events in streams of their own, `after` the case's last one, and waits until audit has them."""
        at = self.case.record_builder.at + after
        await self.send(RecordBuilder(at=at, council=council or self.harness.council).publish(*events))

    async def send(self, records: Sequence[RawRecord]) -> None:
        before = await self._count()
        await self.harness.send_records(records)

        async def is_stored() -> bool:
            return await self._count() == before + len(records)

        await wait_until(is_stored, within=20)

    async def _count(self) -> int:
        return await fetch_number(self.harness.audit.service.database, "SELECT count(*) FROM records")

    async def fetch(self) -> Mapping[str, Any]:  # the answer in JSON
        answer = await self.harness.get(f"/v1/packages/{self.case.package}/evidence")
        assert answer.status == 200
        return answer.body

    def make_eligibility(self, provider: ProviderId, *, area: AreaCode = COLCHESTER) -> EligibilityChanged:
        place = an_example_of(Place, framework=self.case.framework, lot=LOT, area=area)
        return EligibilityChanged(provider_id=provider, places=(place,))

    def make_placement(self, **changed: object) -> PackagePlaced:
        usual = {"package_id": uuid4(), "placement_id": uuid4(), "framework": self.case.framework, "area": COLCHESTER}
        return an_example_of(PackagePlaced, **{**usual, "views": (), **changed})


@pytest_asyncio.fixture(loop_scope="session")
async def story(harness: AuditHarness, package: PackageId) -> AsyncGenerator[Story]:
    yield Story(harness, await harness.send_complete_case(package))


def list_types(events: Sequence[Mapping[str, Any]], provider: ProviderId) -> list[str]:  # events in JSON
    of_provider = [each for each in events if each["payload"]["provider_id"] == str(provider)]
    return [each["type"].split(".")[1] for each in of_provider]


async def test_the_evidence_has_the_events_of_the_package_with_cause_and_payload(story: Story) -> None:
    evidence = await story.fetch()
    assert (evidence["verified"], evidence["archives"]) == (True, [])
    assert len(evidence["events"]) == PACKAGE_RECORD_COUNT
    first, second = evidence["events"][:2]
    assert (first["source"], second["source"]) == ("/calloff/referral", "/calloff/sourcing")
    assert second["cause"] == first["event_id"]
    assert first["payload"]["care"]["framework"] == story.case.framework
    assert [each["sequence"] for each in evidence["events"]] == [1, 1, 2, 3, 4, 5, 6, 7, 8]
    assert evidence["events"][-1]["actor"] == f"provider:{story.case.providers['Cedar']}"


async def test_the_evidence_has_all_definitions_and_the_lists_of_all_tiers(story: Story) -> None:
    await story.publish(
        FrameworkPublished(definition=a_definition(framework=story.case.framework, version=8)),
        an_example_of(RankedListPublished, framework=story.case.framework, area=ELSEWHERE),
    )
    evidence = await story.fetch()
    assert len(evidence["definitions"]) == 2
    assert {each["payload"]["tier"] for each in evidence["ranked_lists"]} == set(Tiers.ALL)
    assert {each["payload"]["area"] for each in evidence["ranked_lists"]} == {COLCHESTER}


async def test_the_evidence_has_every_provider_that_is_named_or_ever_had_a_place(story: Story) -> None:
    stranger = ProviderId(uuid4())
    await story.publish(
        story.make_eligibility(story.holder),
        EligibilityChanged(provider_id=story.holder, places=()),
        story.make_eligibility(stranger, area=ELSEWHERE),
    )
    provider_events = (await story.fetch())["provider_events"]
    found = {each["payload"]["provider_id"] for each in provider_events}
    assert found == {str(each) for each in (story.holder, *story.case.providers.values())}
    assert len(story.case.providers) == len(NAMES)


async def test_the_evidence_has_what_decisions_read_of_a_provider(story: Story) -> None:
    framework, holder = story.case.framework, story.holder
    rates = an_example_of(RatesSelected, provider_id=holder, framework=framework, area=COLCHESTER)
    capacity = an_example_of(CapacityDeclared, provider_id=holder, area=COLCHESTER)
    await story.publish(
        story.make_eligibility(holder),
        ChannelsChanged(provider_id=holder, channels=()),
        an_example_of(ProviderEmbargoed, provider_id=holder),
        capacity,
        an_example_of(CapacityDeclared, provider_id=holder, area=COLCHESTER, free_hours=Decimal("7.00")),
        an_example_of(CapacityDeclared, provider_id=holder, area=ELSEWHERE),
        rates,
        an_example_of(RatesSelected, provider_id=holder, framework="another-framework", area=COLCHESTER),
    )
    provider_events = (await story.fetch())["provider_events"]
    assert list_types(provider_events, holder) == [
        "EligibilityChanged",
        "ChannelsChanged",
        "ProviderEmbargoed",
        "CapacityDeclared",
        "RatesSelected",
    ]
    declared = next(each for each in provider_events if each["type"].split(".")[1] == "CapacityDeclared")
    assert (declared["payload"]["free_hours"], declared["sequence"]) == ("7.00", 5)


async def test_placements_of_the_area_show_no_package(story: Story) -> None:
    placement = PlacementId(uuid4())
    placed = story.make_placement(placement_id=placement, provider_id=story.holder, weekly_hours=Decimal("9.50"))
    voided = an_example_of(PlacementVoided, package_id=placed.package_id, placement_id=placement)
    await story.publish(placed, voided, story.make_placement(area=ELSEWHERE))
    await story.publish(story.make_placement(), after=timedelta(hours=1))
    evidence = await story.fetch()
    assert len(evidence["placements"]) == 2
    first, own = evidence["placements"]
    assert (first["provider_id"], first["weekly_hours"]) == (str(story.holder), "9.50")
    assert first["at"] < first["voided_at"] < own["at"]
    assert own["voided_at"] is None
    assert set(first) == {"provider_id", "framework", "lot", "area", "weekly_hours", "at", "voided_at"}
    assert str(placed.package_id) not in str(evidence)


async def test_nothing_of_another_council_is_in_the_evidence(story: Story) -> None:
    """Not even what is about the same framework, area or provider."""
    before = await story.fetch()
    other, framework, alder = CouncilKey("another-council"), story.case.framework, story.case.providers["Alder"]
    await story.publish(
        FrameworkPublished(definition=a_definition(framework=framework, version=9, council=other)),
        an_example_of(RankedListPublished, framework=framework, area=COLCHESTER, list_version=99),
        story.make_eligibility(story.holder),
        story.make_eligibility(alder),
        ChannelsChanged(provider_id=alder, channels=()),
        an_example_of(CapacityDeclared, provider_id=alder, area=COLCHESTER),
        an_example_of(RatesSelected, provider_id=alder, framework=framework, area=COLCHESTER),
        story.make_placement(),
        an_example_of(PlacementVoided, package_id=story.case.package),
        council=other,
    )
    assert await story.fetch() == before


async def test_the_evidence_of_another_councils_package_is_not_found(story: Story) -> None:
    path = f"/v1/packages/{story.case.package}/evidence"
    assert (await story.harness.get(path, council="another-council")).status == 404
    assert (await story.harness.get(path, "offers:answer")).status == 403
    assert (await story.harness.get(path, "sourcing:operate")).status == 200
    assert (await story.harness.get(path.replace(str(story.case.package), str(UUID(int=7))))).status == 404


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param("key = :package", id="an event of the package"),
        pytest.param("subject LIKE :framework", id="a ranked list"),
        pytest.param("subject = :provider AND type LIKE '%EligibilityChanged%'", id="an event of a provider"),
    ],
)
async def test_evidence_that_was_altered_is_not_verified(story: Story, changed: str) -> None:
    arguments = {
        "package": str(story.case.package).encode(),
        "framework": f"{story.case.framework}/%",
        "provider": str(story.case.providers["Alder"]),
    }
    used = {name: value for name, value in arguments.items() if f":{name}" in changed}
    await story.harness.change_stored_rows(
        f"UPDATE records SET headers = headers || ' ' WHERE {changed} RETURNING 1",
        **used,
    )
    assert (await story.fetch())["verified"] is False
