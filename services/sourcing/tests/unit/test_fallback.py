"""An offer that reached nobody: the fallback channel once, with a fresh clock, then the officers' call list."""

from contracts.events.packages import OfferDelivered, OfferRedirected, OfferUndeliverable
from contracts.values import Channel, Urgency
from sourcing.domain.search import Offer
from sourcing.domain.steps import AlarmKind, Step
from testkit.sourcing.builders import PACKAGE, Story, a_market, a_request, facts_about, monday, tuesday

EVERY_CHANNEL = (Channel.WEBHOOK, Channel.EMAIL, Channel.PHONE)


def an_offer(*, at: str = "09:00", urgency: Urgency = Urgency.ROUTINE) -> Story:
    """To Alder, who has a system, a mailbox and a telephone."""
    market = a_market("Alder", "Birch", but=[facts_about("Alder", channels=EVERY_CHANNEL)])
    return Story(market, at=monday(at)).requested(a_request(urgency=urgency))


def undeliverable(offer: Offer, channel: Channel) -> OfferUndeliverable:
    return OfferUndeliverable(
        package_id=PACKAGE,
        offer_id=offer.offer_id,
        provider_id=offer.provider_id,
        channel=channel,
        first_attempt_at=None,
        reason="no answer",
    )


def redirected_to(step: Step) -> list[Channel]:
    return [event.to_channel for event in step.events if isinstance(event, OfferRedirected)]


def test_by_webhook_then_by_mail_then_an_officer_telephones() -> None:
    story = an_offer()
    assert redirected_to(story.undeliverable(at=monday("09:02"))) == [Channel.EMAIL]
    step = story.happens(undeliverable(story.live_offer, Channel.EMAIL), at=monday("09:04"))
    assert redirected_to(step) == [Channel.PHONE]
    assert story.live_offer.awaits_call


def test_the_fallback_has_a_fresh_clock_from_its_own_delivery() -> None:
    story = an_offer()
    story.undeliverable(at=monday("09:02"))
    offer = story.live_offer
    story.happens(
        OfferDelivered(
            package_id=PACKAGE,
            offer_id=offer.offer_id,
            provider_id=offer.provider_id,
            channel=Channel.EMAIL,
            delivered_at=monday("09:03"),
        ),
        at=monday("09:03"),
    )
    assert story.live_offer.answer_by == monday("09:33")


def test_word_about_a_channel_that_was_left_is_no_news() -> None:
    story = an_offer()
    story.undeliverable(at=monday("09:02"))
    assert story.undeliverable(at=monday("09:03")).events == ()
    assert story.live_offer.channel is Channel.EMAIL


def test_after_closing_the_fallback_waits_for_the_opening() -> None:
    story = an_offer(at="16:59")
    assert story.undeliverable(at=monday("17:01")).events == ()
    assert story.alarm(AlarmKind.DELIVERY_OVERDUE).at == tuesday("08:30")
    assert redirected_to(story.rings(AlarmKind.DELIVERY_OVERDUE)) == [Channel.EMAIL]


def test_an_urgent_one_does_not_wait() -> None:
    story = an_offer(at="18:00", urgency=Urgency.CRISIS)
    assert redirected_to(story.undeliverable(at=monday("18:02"))) == [Channel.EMAIL]


def test_a_fallback_of_which_nothing_is_heard_ends_on_the_call_list() -> None:
    story = an_offer()
    story.undeliverable(at=monday("09:02"))
    assert redirected_to(story.rings(AlarmKind.DELIVERY_OVERDUE)) == [Channel.PHONE]
