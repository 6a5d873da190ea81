"""Recipients of open packages, mailboxes and sent offers: one suite over the registry in memory and on PostgreSQL."""

from contracts.events.providers import EmbargoReason
from contracts.examples import COLCHESTER, ESSEX, an_id
from contracts.ids import CouncilKey, FrameworkKey, OfferId, PackageId
from contracts.values import Tier
from provider_registry.handlers.providers import (
    SetEmbargo,
    SetPlaces,
    SetSpotAreas,
    set_embargo,
    set_places,
    set_spot_areas,
)
from testkit.provider_registry.builders import (
    COUNCIL,
    TENDRING,
    a_place,
    to_provider_id,
)
from testkit.provider_registry.repositories import RegistryWorkFactory, publish_definitions, register_providers

ALDER, BIRCH = to_provider_id("Alder"), to_provider_id("Birch")
URL = "https://alder.example/offers"


async def test_recipients_of_open_packages_serve_the_area_have_an_endpoint_and_no_embargo(
    registry: RegistryWorkFactory,
) -> None:
    names = ("Alder", "Birch", "Cedar", "Damson", "Elder")
    alder, birch, cedar, damson, elder = (to_provider_id(name) for name in names)
    await publish_definitions(registry, 1)
    await register_providers(registry, *names)
    for who, place in ((ALDER, a_place()), (BIRCH, a_place(tier=Tier.TWO)), (damson, a_place(TENDRING))):
        async with registry() as work:
            await set_places(SetPlaces(who, (place,)), work)
    for who in (alder, cedar, elder):
        async with registry() as work:
            await set_spot_areas(SetSpotAreas(who, (COLCHESTER,), expect=lambda _: None), work)
    async with registry() as work:
        for each in (alder, birch, cedar, damson):
            await work.endpoints.put(str(each), URL)
    async with registry() as work:
        providers = work.providers
        spot = await providers.find_open_package_recipients(ESSEX, COLCHESTER, council=COUNCIL, spot=True)
        framework = await providers.find_open_package_recipients(ESSEX, COLCHESTER, council=COUNCIL, spot=False)
        foreign = await providers.find_open_package_recipients(
            ESSEX, COLCHESTER, council=CouncilKey("another"), spot=True
        )
        other = FrameworkKey("essex-live-in-2027")
        others = await providers.find_open_package_recipients(other, COLCHESTER, council=COUNCIL, spot=True)
    assert (spot, framework, foreign) == (sorted((alder, birch, cedar)), sorted((alder, birch)), [])
    assert others == sorted((alder, cedar))
    async with registry() as work:
        await set_embargo(SetEmbargo(ALDER, EmbargoReason.SAFEGUARDING), work)
        await work.endpoints.disable(str(birch), because="gone")
    async with registry() as work:
        left = await work.providers.find_open_package_recipients(ESSEX, COLCHESTER, council=COUNCIL, spot=True)
    assert left == sorted((birch, cedar)), "what a disabled endpoint misses is kept for its owner"


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
