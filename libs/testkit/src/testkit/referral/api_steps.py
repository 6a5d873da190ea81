"""Steps of referral's integration tests: post a referral, publish events of sourcing, wait for records and statuses."""

from itertools import count
from typing import Any, Final
from uuid import UUID

from contracts.catalogue import PACKAGES
from contracts.events.base import PackageEvent
from contracts.events.offers import OfferDeclined, OfferMade
from contracts.events.searches import PackagePlaced, PlacementVoided
from contracts.ids import PackageId
from testkit.http_client import ServiceClient
from testkit.http_response import HttpResponse
from testkit.referral.builders import a_body, a_body_with_person, to_provider_id
from testkit.referral.harness import ReferralHarness
from testkit.topics import TopicRecord, read_topic
from testkit.waiting import wait_until

ALDER: Final = to_provider_id("Alder")
_NUMBERS: Final = count(1)


def a_unique_body(**changed: object) -> dict[str, Any]:  # JSON, as a council's system writes it
    """A referral of a person that no other test has referred."""
    person = a_body_with_person(name=f"Test Person {next(_NUMBERS)}", nhs_number=None)["person"]
    return a_body(**{"person": person, **changed})


async def post_referral(client: ServiceClient, **changed: object) -> HttpResponse:
    response = await client.post("/v1/referrals", a_unique_body(**changed))
    assert response.status == 201, response.text
    return response


async def publish_sourcing_events(harness: ReferralHarness, package_id: str, *events: type[PackageEvent]) -> None:
    """Publishes examples of events of sourcing about the package; the provider in them is Alder."""
    events_with_provider = {OfferMade, OfferDeclined, PackagePlaced, PlacementVoided}
    for event in events:
        fields = {"provider_id": ALDER} if event in events_with_provider else {}
        await harness.publish_events(PackageId(UUID(package_id)), event, **fields)


async def wait_for_records(harness: ReferralHarness, package_id: str, *, at_least: int = 1) -> list[TopicRecord]:
    """Returns the records of the package on the packages topic as soon as there are `at_least` of them."""

    async def read_records() -> list[TopicRecord]:
        records = await read_topic(harness.kafka, PACKAGES, keys={package_id})
        return records if len(records) >= at_least else []

    return await wait_until(read_records, within=30)


def list_event_types(records: list[TopicRecord], *, source: str = "") -> list[str]:
    """Returns the short event types, optionally of the records whose source contains `source`."""
    return [
        record.get_header("ce_type").removeprefix("calloff.").removesuffix(".v1")
        for record in records
        if source in record.get_header("ce_source")
    ]


async def wait_for_status(client: ServiceClient, location: str, status: str) -> Any:  # JSON of the referral
    async def read_referral() -> Any:
        body = (await client.get(location)).body
        return body if body["status"] == status else None

    return await wait_until(read_referral, within=30)
