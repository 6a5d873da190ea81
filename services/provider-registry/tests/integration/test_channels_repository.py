"""Recipients of open packages, mailboxes and sent offers: one suite over the registry in memory and on PostgreSQL."""

from dataclasses import replace

from contracts.events.providers import EmbargoReason
from contracts.example_words import LOT, Tiers
from contracts.examples import COLCHESTER, COUNCIL, FRAMEWORK, an_id
from contracts.ids import CouncilKey, FrameworkKey, OfferId, PackageId
from contracts.values import ListReach
from provider_registry.handlers.providers import (
    SetEmbargo,
    SetSpotAreas,
    set_embargo,
    set_spot_areas,
)
from provider_registry.ports import OpenPackage
from testkit.provider_registry.builders import (
    TENDRING,
    a_place,
    to_provider_id,
)
from testkit.provider_registry.repositories import (
    RegistryWorkFactory,
    give_places,
    publish_definitions,
    register_providers,
)

ALDER, BIRCH = to_provider_id("Alder"), to_provider_id("Birch")
URL = "https://alder.example/offers"


async def test_recipients_of_open_packages_serve_the_area_and_have_no_embargo(
    registry: RegistryWorkFactory,
) -> None:
    names = ("Alder", "Birch", "Cedar", "Damson", "Elder")
    alder, birch, cedar, damson, elder = (to_provider_id(name) for name in names)
    await publish_definitions(registry, 1)
    await register_providers(registry, *names)
    for who, place in ((ALDER, a_place()), (BIRCH, a_place(tier=Tiers.TWO)), (damson, a_place(TENDRING))):
        await give_places(registry, who, place)
    for who in (alder, cedar, elder):
        async with registry() as work:
            await set_spot_areas(SetSpotAreas(who, (COLCHESTER,), expect=lambda _: None), work)
    here = OpenPackage(FRAMEWORK, LOT, COLCHESTER)
    elsewhere = OpenPackage(FrameworkKey("amberside-live-in-2027"), LOT, COLCHESTER)
    async with registry() as work:
        find = work.providers.find_open_package_recipients
        spot = await find(here, council=COUNCIL, members=True, spot=True)
        framework = await find(here, council=COUNCIL, members=True, spot=False)
        spot_only = await find(here, council=COUNCIL, members=False, spot=True)
        foreign = await find(here, council=CouncilKey("another"), members=True, spot=True)
        others = await find(elsewhere, council=COUNCIL, members=True, spot=True)
    assert spot_only == others == sorted((alder, cedar, elder))
    assert (spot, framework, foreign) == (sorted((alder, birch, cedar, elder)), sorted((alder, birch)), [])
    everywhere = replace(here, reach=ListReach.COUNCIL)
    async with registry() as work:
        council_wide = await work.providers.find_open_package_recipients(
            everywhere, council=COUNCIL, members=True, spot=True
        )
    assert council_wide == sorted((alder, birch, cedar, damson, elder))
    async with registry() as work:
        await set_embargo(SetEmbargo(ALDER, EmbargoReason.SAFEGUARDING), work)
    async with registry() as work:
        left = await work.providers.find_open_package_recipients(here, council=COUNCIL, members=True, spot=True)
    assert left == sorted((birch, cedar, elder))


async def test_a_mailbox_exists_until_it_is_removed(registry: RegistryWorkFactory) -> None:
    async with registry() as work:
        await work.endpoints.put(str(BIRCH), URL)
        await work.mailboxes.put(str(ALDER), "offers@alder.example")
        await work.mailboxes.put(str(ALDER), "office@alder.example")
    async with registry() as work:
        there = [await work.mailboxes.has_mailbox(str(each)) for each in (ALDER, BIRCH)]
        await work.mailboxes.remove(str(ALDER))
        await work.mailboxes.remove(str(BIRCH))
        left = await work.mailboxes.has_mailbox(str(ALDER))
        assert await work.endpoints.get(str(ALDER)) is None
        assert await work.endpoints.get(str(BIRCH)) is not None
    assert (there, left) == ([True, False], False)


async def test_an_unknown_offer_was_not_sent(registry: RegistryWorkFactory) -> None:
    async with registry() as work:
        assert await work.sent_offers.find_summary(PackageId(an_id("package")), OfferId(an_id("offer"))) is None
