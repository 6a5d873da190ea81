"""An offer that reached nobody: the fallback channel once, with a fresh clock, then the officers' call list."""

from contracts.events.offers import OfferDelivered, OfferRedirected, OfferUndeliverable
from contracts.events.packages import PackageRequested
from contracts.values import Channel
from sourcing.domain.offer import Offer
from sourcing.domain.steps import Step, TimerKind
from testkit.sourcing.builders import PACKAGE, a_known_provider, a_market, an_urgent_request, on_monday, on_tuesday
from testkit.sourcing.search_driver import SearchDriver

EVERY_CHANNEL = (Channel.WEBHOOK, Channel.EMAIL, Channel.PHONE)


def an_offer(*, at: str = "09:00", request: PackageRequested | None = None) -> SearchDriver:
    """To Alder, who has a system, a mailbox and a telephone."""
    market = a_market("Alder", "Birch", overrides=[a_known_provider("Alder", channels=EVERY_CHANNEL)])
    return SearchDriver(market, at=on_monday(at)).request(request)


def build_undeliverable(offer: Offer, channel: Channel) -> OfferUndeliverable:
    return OfferUndeliverable(
        package_id=PACKAGE,
        offer_id=offer.offer_id,
        provider_id=offer.provider_id,
        channel=channel,
        first_attempt_at=None,
        reason="no answer",
    )


def list_redirected_channels(step: Step) -> list[Channel]:
    return [event.to_channel for event in step.events if isinstance(event, OfferRedirected)]


def test_by_webhook_then_by_mail_then_an_officer_telephones() -> None:
    driver = an_offer()
    assert list_redirected_channels(driver.fail_delivery(at=on_monday("09:02"))) == [Channel.EMAIL]
    step = driver.handle(build_undeliverable(driver.live_offer, Channel.EMAIL), at=on_monday("09:04"))
    assert list_redirected_channels(step) == [Channel.PHONE]
    assert driver.live_offer.awaits_call


def test_the_fallback_has_a_fresh_clock_from_its_own_delivery() -> None:
    driver = an_offer()
    driver.fail_delivery(at=on_monday("09:02"))
    offer = driver.live_offer
    driver.handle(
        OfferDelivered(
            package_id=PACKAGE,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            channel=Channel.EMAIL,
            delivered_at=on_monday("09:03"),
        ),
        at=on_monday("09:03"),
    )
    assert driver.live_offer.answer_by == on_monday("09:33")


def test_word_about_a_channel_that_was_left_is_no_news() -> None:
    driver = an_offer()
    driver.fail_delivery(at=on_monday("09:02"))
    assert driver.fail_delivery(at=on_monday("09:03")).events == ()
    assert driver.live_offer.channel is Channel.EMAIL


def test_after_closing_the_fallback_waits_for_the_opening() -> None:
    driver = an_offer(at="16:59")
    assert driver.fail_delivery(at=on_monday("17:01")).events == ()
    assert driver.find_timer(TimerKind.DELIVERY_OVERDUE).at == on_tuesday("08:30")
    assert list_redirected_channels(driver.fire_timer(TimerKind.DELIVERY_OVERDUE)) == [Channel.EMAIL]


def test_an_urgent_one_does_not_wait() -> None:
    driver = an_offer(at="18:00", request=an_urgent_request())
    assert list_redirected_channels(driver.fail_delivery(at=on_monday("18:02"))) == [Channel.EMAIL]


def test_a_fallback_of_which_nothing_is_heard_ends_on_the_call_list() -> None:
    driver = an_offer()
    driver.fail_delivery(at=on_monday("09:02"))
    assert list_redirected_channels(driver.fire_timer(TimerKind.DELIVERY_OVERDUE)) == [Channel.PHONE]
