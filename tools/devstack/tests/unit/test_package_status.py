"""The status of packages, computed from their events alone."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from contracts.events.base import Event
from contracts.events.offers import OfferDeclined
from contracts.events.packages import PackageWithdrawn
from contracts.events.providers import ProviderRegistered
from contracts.events.searches import SourcingHeld, SourcingStarted, StageEntered
from contracts.example_words import LOT, DeclineReasons, Tiers, WithdrawalReasons
from contracts.ids import AreaCode, FrameworkKey, OfferId, PackageId, ProviderId, SearchId
from contracts.values import Order
from devstack.package_status import PackageStatus, PackageTracker

PACKAGE = PackageId(UUID("0197a3c0-0000-7000-8000-000000000001"))
ALDER = ProviderId(UUID("0197a3c0-0000-7000-8000-000000000002"))
SEARCH = SearchId(UUID("0197a3c0-0000-7000-8000-000000000003"))
NINE = datetime(2026, 1, 12, 9, tzinfo=UTC)


def track(*events: Event) -> PackageTracker:
    tracker = PackageTracker()
    for event in events:
        tracker.apply(event, NINE)
    return tracker


def a_stage() -> StageEntered:
    return StageEntered(
        package_id=PACKAGE,
        search_id=SEARCH,
        stage="tier-1",
        tiers=(Tiers.ONE,),
        order=(Order.RANKED_LIST,),
        candidates=(),
    )


def a_start() -> SourcingStarted:
    framework, area = FrameworkKey("invented-framework-2026"), AreaCode("E07000071")
    return SourcingStarted(
        package_id=PACKAGE, search_id=SEARCH, framework=framework, definition_version=1, lot=LOT, area=area
    )


def a_decline() -> OfferDeclined:
    return OfferDeclined(
        package_id=PACKAGE, offer_id=OfferId(uuid4()), provider_id=ALDER, reason=DeclineReasons.NO_CAPACITY
    )


def test_a_package_has_the_status_of_its_last_event() -> None:
    tracker = track(a_start(), a_stage(), a_decline())
    assert tracker.count_by_status()[PackageStatus.SEARCHING] == 1
    assert tracker.count_by_stage() == {"tier-1": 1}
    assert tracker.declines == 1


def test_declines_of_an_earlier_run_are_not_counted_again() -> None:
    tracker = PackageTracker(declines_since=NINE + timedelta(seconds=1))
    tracker.apply(a_decline(), NINE)
    tracker.apply(a_decline(), NINE + timedelta(seconds=1))
    assert tracker.declines == 1


def test_a_status_without_packages_is_counted_as_zero() -> None:
    assert set(track().count_by_status()) == set(PackageStatus)


def test_held_and_withdrawn_packages_are_counted() -> None:
    held = SourcingHeld(package_id=PACKAGE, missing=("definitions/x",))
    assert track(held).count_by_status()[PackageStatus.HELD] == 1
    withdrawn = PackageWithdrawn(package_id=PACKAGE, reason=WithdrawalReasons.NO_LONGER_NEEDED)
    assert track(held, withdrawn).count_by_status()[PackageStatus.WITHDRAWN] == 1


def test_a_provider_has_its_id_as_name_until_its_registration_is_read() -> None:
    known = ProviderRegistered(provider_id=ALDER, name="Alder Care 001")
    assert track(known).get_provider_name(ALDER) == "Alder Care 001"
    assert track().get_provider_name(ALDER) == str(ALDER)
