"""What stands where is told by the events alone."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from contracts.events.base import Event
from contracts.events.packages import (
    OfferDeclined,
    PackageWithdrawn,
    SourcingHeld,
    SourcingStarted,
    StageEntered,
)
from contracts.events.providers import ProviderRegistered
from contracts.ids import AreaCode, FrameworkKey, OfferId, PackageId, ProviderId, SearchId
from contracts.values import DeclineReason, ServiceType, Tier, WithdrawalReason
from devstack.package_status import Place, Standing
from simulator.behaviour import Receipt
from simulator.receivers import Received
from simulator.up.latency import Latencies

PACKAGE = PackageId(UUID("0197a3c0-0000-7000-8000-000000000001"))
ALDER = ProviderId(UUID("0197a3c0-0000-7000-8000-000000000002"))
SEARCH = SearchId(UUID("0197a3c0-0000-7000-8000-000000000003"))
NINE = datetime(2026, 1, 12, 9, tzinfo=UTC)


def standing_after(*events: Event) -> Standing:
    standing = Standing()
    for event in events:
        standing.take_in(event, NINE)
    return standing


def a_stage() -> StageEntered:
    return StageEntered(
        package_id=PACKAGE, search_id=SEARCH, stage="tier-1", tier=Tier.ONE, list_version=1, candidates=()
    )


def a_start() -> SourcingStarted:
    framework, area = FrameworkKey("invented-framework-2026"), AreaCode("E07000071")
    return SourcingStarted(package_id=PACKAGE, search_id=SEARCH, framework=framework, definition_version=1, area=area)


def a_decline() -> OfferDeclined:
    return OfferDeclined(
        package_id=PACKAGE, offer_id=OfferId(uuid4()), provider_id=ALDER, reason=DeclineReason.NO_CAPACITY
    )


def test_a_package_is_counted_where_its_last_event_left_it() -> None:
    standing = standing_after(a_start(), a_stage(), a_decline())
    assert standing.by_place()[Place.SEARCHING] == 1
    assert standing.by_stage() == {"tier-1": 1}
    assert standing.declines == 1


def test_declines_of_an_earlier_run_are_not_counted_again() -> None:
    standing = Standing(declines_since=NINE + timedelta(seconds=1))
    standing.take_in(a_decline(), NINE)
    standing.take_in(a_decline(), NINE + timedelta(seconds=1))
    assert standing.declines == 1


def test_places_that_are_empty_are_counted_too() -> None:
    assert set(standing_after().by_place()) == set(Place)


def test_a_held_an_exhausted_and_a_withdrawn_package_stand_there() -> None:
    held = SourcingHeld(package_id=PACKAGE, missing=("definitions/x",))
    assert standing_after(held).by_place()[Place.HELD] == 1
    withdrawn = PackageWithdrawn(package_id=PACKAGE, reason=WithdrawalReason.NO_LONGER_NEEDED)
    assert standing_after(held, withdrawn).by_place()[Place.WITHDRAWN] == 1


def test_a_provider_is_shown_by_its_name_once_it_is_known() -> None:
    known = ProviderRegistered(provider_id=ALDER, name="Alder Care 001", service_types=(ServiceType.PERSONAL_CARE,))
    assert standing_after(known).name_of(ALDER) == "Alder Care 001"
    assert standing_after().name_of(ALDER) == str(ALDER)


def received(seconds: float, *, kind: str = "offer.made", verified: bool = True) -> Received:
    return Received(
        received_at=NINE + timedelta(seconds=seconds),
        provider_id=ALDER,
        headers={},
        verified=verified,
        type=kind,
        queued_at=NINE,
        package_id=PACKAGE,
        offer_id=None,
        attempt=1,
        receipt=Receipt.TAKEN,
    )


def test_latency_runs_from_the_post_to_the_packages_first_offer() -> None:
    latencies = Latencies()
    latencies.note_posted(PACKAGE, NINE)
    latencies.note_received(received(0.020))
    latencies.note_received(received(9))
    assert latencies.milliseconds == [20.0]


def test_a_webhook_may_be_read_before_the_post_is_known() -> None:
    latencies = Latencies()
    latencies.note_received(received(0.5))
    latencies.note_posted(PACKAGE, NINE)
    assert latencies.at(0.5) == 500.0


def test_webhooks_that_do_not_verify_are_counted_apart() -> None:
    latencies = Latencies()
    latencies.note_received(received(1, verified=False))
    assert (latencies.webhooks, latencies.unverified) == (1, 1)
