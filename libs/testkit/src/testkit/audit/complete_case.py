"""The records of a complete case: the providers and ranked lists of an area, and one package up to its placement."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import uuid4

from audit.domain.records import RawRecord
from contracts.events.base import ProjectionVersion
from contracts.events.frameworks import Candidate, FrameworkPublished, RankedListPublished
from contracts.events.offers import OfferAccepted, OfferDeclined, OfferMade
from contracts.events.packages import PackageRequested
from contracts.events.providers import EligibilityChanged, ProviderRegistered
from contracts.events.searches import (
    ListUsed,
    PackagePlaced,
    ProviderPassedOver,
    SourcingStarted,
    StageCandidate,
    StageEntered,
)
from contracts.example_words import LOT, Tiers
from contracts.examples import COLCHESTER, a_definition, an_example_of, some_care
from contracts.framework.tiers import Tier
from contracts.ids import FrameworkKey, PackageId, ProviderId, TierKey
from contracts.values import Order, PassOverReason
from testkit.audit.builders import RecordBuilder, make_candidate

NAMES: Final = ("Alder", "Birch", "Cedar", "Dogwood", "Elder")


@dataclass
class CompleteCase:
    """A case in which Alder is embargoed, Birch declines and Cedar accepts.

    Dogwood has rank 4 and is not asked; Elder is on the list of tier 2.
    """

    package: PackageId
    record_builder: RecordBuilder
    providers: dict[str, ProviderId] = field(default_factory=lambda: {name: ProviderId(uuid4()) for name in NAMES})
    framework: FrameworkKey = field(default_factory=lambda: FrameworkKey(f"invented-{uuid4()}"))

    def make_records(self) -> list[RawRecord]:
        return [*self._make_registry_records(), *self._make_package_records()]

    def _make_registry_records(self) -> list[RawRecord]:
        registered = [ProviderRegistered(provider_id=each, name=name) for name, each in self._list_providers()]
        eligible = [an_example_of(EligibilityChanged, provider_id=each) for _, each in self._list_providers()]
        lists = [
            self._make_ranked_list(Tiers.ONE, "Alder", "Birch", "Cedar", "Dogwood"),
            self._make_ranked_list(Tiers.TWO, "Elder"),
        ]
        return self.record_builder.publish(*registered, *eligible, self._make_definition(), *lists)

    def _make_definition(self) -> FrameworkPublished:
        tiers = tuple(Tier(tier=key, title=key) for key in Tiers.ALL)
        return FrameworkPublished(definition=a_definition(framework=self.framework, tiers=tiers))

    def _list_providers(self) -> Sequence[tuple[str, ProviderId]]:
        return list(self.providers.items())

    def _make_ranked_list(self, tier: TierKey, *names: str) -> RankedListPublished:
        return RankedListPublished(
            framework=self.framework,
            lot=LOT,
            area=COLCHESTER,
            tier=tier,
            list_version=7,
            issued_on=date(2026, 2, 1),
            live_from=date(2026, 3, 1),
            ranking=self._make_ranking(*names),
        )

    def _make_ranking(self, *names: str) -> tuple[Candidate, ...]:
        return tuple(Candidate(provider_id=self.providers[name], rank=rank) for rank, name in enumerate(names, start=1))

    def _make_candidates(self, *names: str) -> tuple[StageCandidate, ...]:
        return tuple(make_candidate(each.provider_id, each.rank) for each in self._make_ranking(*names))

    def _make_package_records(self) -> list[RawRecord]:
        builder, package = self.record_builder, self.package
        views = (ProjectionVersion(view="eligibility", key=str(self.providers["Alder"]), sequence=2),)
        alder, birch, cedar = (self.providers[name] for name in NAMES[:3])
        requested = an_example_of(PackageRequested, package_id=package, care=some_care(framework=self.framework))
        first = builder.make_envelope(requested, cause=f"command:{uuid4()}", actor="system:council-1")
        start = builder.publish(
            an_example_of(SourcingStarted, package_id=package, framework=self.framework),
            an_example_of(
                StageEntered,
                package_id=package,
                tiers=(Tiers.ONE,),
                order=(Order.RANKED_LIST,),
                lists=(ListUsed(tier=Tiers.ONE, list_version=7),),
                seed=None,
                candidates=self._make_candidates(*NAMES[:4]),
                views=(),
            ),
            an_example_of(
                ProviderPassedOver,
                package_id=package,
                provider_id=alder,
                rank=1,
                reasons=(PassOverReason.EMBARGOED,),
                views=views,
            ),
            an_example_of(OfferMade, package_id=package, provider_id=birch, rank=2, views=()),
            cause=str(first.id),
        )
        end = builder.publish(
            an_example_of(OfferDeclined, package_id=package, provider_id=birch),
            an_example_of(OfferMade, package_id=package, provider_id=cedar, rank=3, views=()),
            an_example_of(OfferAccepted, package_id=package, provider_id=cedar),
            an_example_of(PackagePlaced, package_id=package, provider_id=cedar, views=()),
            actor=f"provider:{cedar}",
        )
        return [builder.make_record(first, requested), *start, *end]


PACKAGE_RECORD_COUNT: Final = 9
"""The number of records about the package itself."""
