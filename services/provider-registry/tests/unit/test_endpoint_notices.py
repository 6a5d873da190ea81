"""Notices about failing and disabled endpoints: on the record, and by mail where there is a mail server."""

from dataclasses import replace
from datetime import timedelta

from contracts.catalogue import PROVIDERS
from contracts.events.providers import EndpointDisabled, EndpointFailing
from contracts.examples import COUNCIL, an_id
from provider_registry.handlers.endpoint_notices import check_provider_endpoint, publish_endpoint_gone
from service_runtime.timers.timers import DueTimer
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.endpoint_health import CHECK_ENDPOINT, EndpointAnswer, EndpointHealth
from service_runtime.webhooks.mail import to_mailbox
from service_runtime.webhooks.results import EndpointGone
from testkit.clocks import MONDAY_NINE
from testkit.provider_registry.builders import to_provider_id
from testkit.provider_registry.fakes import InMemoryRegistryWork, build_unit_of_work

ALDER, DAY = to_provider_id("Alder"), timedelta(days=1)


def a_check() -> DueTimer:
    stream = StreamKey(PROVIDERS, str(ALDER))
    return DueTimer(an_id("timer"), stream, CHECK_ENDPOINT, str(ALDER), MONDAY_NINE, COUNCIL, "webhook", "")


async def a_failing_market(*, notice_days_ago: int | None) -> InMemoryRegistryWork:
    """A provider whose endpoint fails since ten days ago, last a minute ago."""
    work = build_unit_of_work()
    await work.endpoints.put(str(ALDER), "https://alder.example/webhooks")
    notice = None if notice_days_ago is None else MONDAY_NINE - notice_days_ago * DAY
    last = EndpointAnswer(MONDAY_NINE - timedelta(minutes=1), None, "timed out", timedelta(seconds=10))
    work.tables.endpoint_health[str(ALDER)] = EndpointHealth(
        MONDAY_NINE - 10 * DAY, notice, has_succeeded=False, others_fail_too=False, answers=(last,)
    )
    return work


async def test_the_owner_is_told_with_the_last_answers_and_the_day_of_disabling() -> None:
    work = await a_failing_market(notice_days_ago=None)
    await check_provider_endpoint(a_check(), work)
    (event,) = work.published
    assert isinstance(event, EndpointFailing)
    assert (event.failing_since, event.disabled_from) == (MONDAY_NINE - 10 * DAY, MONDAY_NINE + 5 * DAY)
    assert [(each.status, each.failure, each.took_ms) for each in event.answers] == [(None, "timed out", 10_000)]
    (mail,) = work.webhooks
    assert (mail.owner, mail.kind) == (to_mailbox(str(ALDER)), "endpoint.failing")
    assert "timed out, after 10000 ms" in str(mail.data["text"])


async def test_after_the_notice_period_the_endpoint_is_disabled_with_a_second_notice() -> None:
    work = await a_failing_market(notice_days_ago=5)
    await check_provider_endpoint(a_check(), work)
    assert work.published == [EndpointDisabled(provider_id=ALDER, reason="gone", failing_since=MONDAY_NINE - 10 * DAY)]
    assert [each.kind for each in work.webhooks] == ["endpoint.disabled"]
    assert work.tables.endpoints[str(ALDER)].disabled_because == "failing"


async def test_an_endpoint_that_recovered_is_left_alone() -> None:
    work = await a_failing_market(notice_days_ago=5)
    owner = str(ALDER)
    work.tables.endpoint_health[owner] = replace(work.tables.endpoint_health[owner], has_succeeded=True)
    await check_provider_endpoint(a_check(), work)
    assert (work.published, work.webhooks, work.tables.endpoint_health) == ([], [], {})
    assert work.tables.endpoints[owner].disabled_because is None


async def test_a_gone_endpoint_is_published_and_its_owner_told() -> None:
    """The channels change on the provider's stream, in the handler of that event."""
    work = build_unit_of_work()
    await publish_endpoint_gone(EndpointGone(str(ALDER), COUNCIL, MONDAY_NINE), work)
    assert work.published == [EndpointDisabled(provider_id=ALDER, reason="gone")]
    assert [(each.kind, each.only_with_endpoint) for each in work.webhooks] == [("endpoint.disabled", True)]


async def test_without_a_mail_server_the_notice_is_on_the_record_only() -> None:
    work = await a_failing_market(notice_days_ago=None)
    work.delivery_terms = replace(work.delivery_terms, mail=None)
    await check_provider_endpoint(a_check(), work)
    assert [type(each) for each in work.published] == [EndpointFailing]
    assert work.webhooks == []
