"""Webhooks that advertise open packages: to whom they go, and what they tell."""

from dataclasses import replace
from datetime import timedelta

from contracts.events.listings import PackageListed
from contracts.events.providers import EmbargoReason
from contracts.example_words import Tiers
from contracts.examples import COLCHESTER, FRAMEWORK, an_example_of, an_id
from contracts.ids import CouncilKey, FrameworkKey, OfferId, PackageId, ProviderId
from contracts.values import ListReach, PlaceState
from provider_registry.domain.announcements import build_change_events
from provider_registry.domain.provider import Provider
from provider_registry.handlers.package_notices import advertise_open_package
from service_runtime.webhooks.deliveries import encode_body
from testkit.clocks import MONDAY_NINE
from testkit.provider_registry.builders import TENDRING, a_framework, a_held_place, a_place, a_provider, to_provider_id
from testkit.provider_registry.fakes import InMemoryRegistryWork, RegistryTables, build_unit_of_work

OTHER_FRAMEWORK = FrameworkKey("amberside-live-in-2027")
OFFER, PACKAGE, ALDER = OfferId(an_id("offer_id")), PackageId(an_id("package_id")), ProviderId(an_id("provider_id"))


def a_listed_package(**changed: object) -> PackageListed:
    """A package that is open at once to the providers of its area."""
    return an_example_of(PackageListed, **{"opens_at": None, "reach": ListReach.AREA, **changed})


def list_kinds(work: InMemoryRegistryWork) -> list[str]:
    return [webhook.kind for webhook in work.webhooks]


async def a_market(*providers: Provider) -> InMemoryRegistryWork:
    """All of them are published, and have systems that listen."""
    definitions = {FRAMEWORK: a_framework(), OTHER_FRAMEWORK: a_framework(framework=OTHER_FRAMEWORK)}
    published = [
        build_change_events(None, each, definitions=definitions, channels=(), at=MONDAY_NINE)[0] for each in providers
    ]
    work = build_unit_of_work(RegistryTables(providers={each.provider_id: each for each in published}))
    for each in providers:
        await work.endpoints.put(str(each.provider_id), "https://provider.example/offers")
    return work


def list_recipients(work: InMemoryRegistryWork) -> set[str]:
    return {webhook.owner for webhook in work.webhooks}


async def test_an_open_package_is_advertised_to_all_tiers_of_its_area_and_to_spot_providers_if_asked() -> None:
    market = (
        a_provider("Alder", places=[a_place()]),
        a_provider("Birch", places=[a_place(tier=Tiers.TWO)]),
        a_provider("Cedar", spot_areas=[COLCHESTER]),
        a_provider("Damson", places=[a_place(TENDRING)], spot_areas=[TENDRING]),
        a_provider("Elder", places=[a_place()], council=CouncilKey("another")),
    )
    for members, spot, names in (
        (True, True, ("Alder", "Birch", "Cedar")),
        (True, False, ("Alder", "Birch")),
        (False, True, ("Cedar",)),
    ):
        work = await a_market(*market)
        await advertise_open_package(a_listed_package(members=members, spot=spot), work)
        assert list_recipients(work) == {str(to_provider_id(name)) for name in names}


async def test_an_open_package_is_advertised_to_active_places_of_its_own_framework_only() -> None:
    other = a_provider("Birch", places=[a_place(framework=OTHER_FRAMEWORK)])
    paused = a_provider("Cedar", places=[a_held_place(state=PlaceState.PAUSED)])
    work = await a_market(a_provider("Alder", places=[a_place()]), other, paused)
    await advertise_open_package(a_listed_package(), work)
    assert list_recipients(work) == {str(to_provider_id("Alder"))}


async def test_an_open_package_is_not_advertised_to_embargoed_providers() -> None:
    embargoed = replace(a_provider("Alder", places=[a_place()]), embargo=EmbargoReason.SAFEGUARDING)
    work = await a_market(embargoed)
    await advertise_open_package(a_listed_package(), work)
    assert (work.webhooks, work.published) == ([], [])


async def test_an_open_package_of_the_councils_reach_is_advertised_in_all_areas() -> None:
    market = (
        a_provider("Alder", places=[a_place(TENDRING)]),
        a_provider("Birch", spot_areas=[TENDRING]),
        a_provider("Cedar", places=[a_place(framework=OTHER_FRAMEWORK)]),
        a_provider("Damson"),
    )
    work = await a_market(*market)
    await advertise_open_package(a_listed_package(reach=ListReach.COUNCIL), work)
    assert list_recipients(work) == {str(to_provider_id(name)) for name in ("Alder", "Birch")}


async def test_a_package_that_waits_for_its_list_is_advertised_by_the_list() -> None:
    work = await a_market(a_provider("Alder", places=[a_place()]))
    await advertise_open_package(a_listed_package(opens_at=MONDAY_NINE + timedelta(hours=3)), work)
    assert (work.webhooks, work.published) == ([], [])


async def test_an_advert_is_queued_for_a_disabled_endpoint_so_that_it_is_kept() -> None:
    work = await a_market(a_provider("Birch", spot_areas=[COLCHESTER]))
    await work.endpoints.disable(str(to_provider_id("Birch")), because="gone")
    await advertise_open_package(a_listed_package(), work)
    assert [each.owner for each in work.webhooks] == [str(to_provider_id("Birch"))]


async def test_an_advert_links_to_proposals_and_does_not_identify_the_package() -> None:
    work, listed = await a_market(a_provider(places=[a_place()])), a_listed_package(ceiling="99.17")
    await advertise_open_package(listed, work)
    (webhook,) = work.webhooks
    reference = str(listed.advert.reference)
    package = f"https://sourcing.example/v1/available-packages/{reference}"
    assert (webhook.kind, webhook.about, webhook.give_up_after) == ("package.available", reference, timedelta(hours=2))
    assert webhook.data == {
        "advert": listed.advert.model_dump(mode="json"),
        "unit": "hour",
        "links": {"package": package, "propose": f"{package}/proposals"},
    }
    body = encode_body(webhook, at=MONDAY_NINE).decode()
    assert not any(text in body for text in (str(PACKAGE), str(listed.search_id), "99.17", "ceiling"))
