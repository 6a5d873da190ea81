"""Offers that go by mail: what the mail says, the link in it, and what is told of how it went."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from contracts.catalogue import PACKAGES
from contracts.events.packages import (
    OfferDelivered,
    OfferExpired,
    OfferMade,
    OfferRedirected,
    OfferUndeliverable,
)
from contracts.ids import OfferId, PackageId, ProviderId
from contracts.values import AnswerBy, Channel, Need, Weekday
from provider_registry.domain.mails import OfferSaid, offer_mail
from provider_registry.handlers.offers import (
    note_mailed,
    note_not_mailed,
    redirect_offer,
    send_offer,
    tell_of_expiry,
)
from provider_registry.handlers.providers import (
    PutMailbox,
    RemoveMailbox,
    put_mailbox,
    remove_mailbox,
)
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.results import Delivered, Undeliverable
from testkit.clocks import MONDAY_NINE
from testkit.contract_examples import a_visit, an_example_of, an_id, some_care
from testkit.provider_registry.builders import TERMS, Market, a_provider, in_memory

OFFER, PACKAGE, ALDER = OfferId(an_id("offer_id")), PackageId(an_id("package_id")), ProviderId(an_id("provider_id"))
ADDRESS = "offers@alder.example"
LINK = "https://sourcing.example/v1/offer-links/"
BY_MAIL = an_example_of(OfferMade, channel=Channel.EMAIL)
TO_MAIL = an_example_of(OfferRedirected, from_channel=Channel.WEBHOOK, to_channel=Channel.EMAIL)


def said_of(offer: OfferMade) -> OfferSaid:
    return OfferSaid(offer.care, offer.weekly_hours, offer.terms)


async def test_an_offer_by_mail_is_queued_for_the_mailbox_and_given_up_as_soon_as_one_by_webhook() -> None:
    work = in_memory()
    await send_offer(BY_MAIL, work)
    (mail,) = work.webhooks
    assert (mail.owner, mail.kind, mail.about) == (f"mailto:{ALDER}", "offer.mailed", str(OFFER))
    assert mail.give_up_after == timedelta(minutes=2)


async def test_the_link_in_it_is_for_this_offer_and_provider_and_ends() -> None:
    work = in_memory()
    await send_offer(BY_MAIL, work)
    text = str(work.webhooks[0].data["text"])
    token = text.split(LINK)[1].split(maxsplit=1)[0]
    assert TERMS.mail is not None
    link = TERMS.mail.links.check(token, now=MONDAY_NINE)
    assert (link.offer_id, link.provider_id) == (OFFER, ALDER)
    assert link.ends_at == MONDAY_NINE + timedelta(days=7)


def test_a_mail_says_in_words_what_the_webhook_says() -> None:
    visit = a_visit(days=(Weekday.MON, Weekday.FRI), carers=2, time_critical=True)
    care = some_care(visits=(visit,), needs=(Need.HOIST, Need.DEMENTIA))
    said = OfferSaid(care, Decimal("4.00"), BY_MAIL.terms)
    mail = offer_mail(OFFER, said, AnswerBy(minutes=30, brokerage_time=True), link=LINK)
    assert mail.data["subject"] == "Offer: personal care, CO1"
    text = str(mail.data["text"])
    for words in (
        "Service: personal care",
        "Where: CO1, E07000071",
        "From: 09/03/2026 (routine)",
        "Hours a week: 4.00",
        "Visit: MON FRI, 07:30 to 09:00, 30 minutes, 2 carers, time-critical",
        "Adult: 75-84; carers: any",
        "Needs: hoist, dementia",
        "Price: £24.10 for each hour",
        "30 minutes of brokerage time",
    ):
        assert words in text


async def test_an_offer_that_goes_by_mail_from_now_on_says_what_the_webhook_said() -> None:
    work = in_memory(Market(said={(PACKAGE, OFFER): said_of(BY_MAIL)}))
    await send_offer(an_example_of(OfferMade, channel=Channel.WEBHOOK), work)
    await redirect_offer(TO_MAIL, work)
    assert [webhook.kind for webhook in work.webhooks] == ["offer.mailed"]
    assert "Service: personal care" in str(work.webhooks[0].data["text"])


async def test_what_was_said_by_telephone_is_behind_the_link() -> None:
    work = in_memory()
    await redirect_offer(TO_MAIL, work)
    assert work.webhooks[0].data["subject"] == "Offer of a package of care"
    assert LINK in str(work.webhooks[0].data["text"])


async def test_a_mail_that_was_not_sent_yet_is_taken_back() -> None:
    redirected = in_memory()
    await send_offer(BY_MAIL, redirected)
    by_phone = an_example_of(OfferRedirected, from_channel=Channel.EMAIL, to_channel=Channel.PHONE)
    await redirect_offer(by_phone, redirected)
    ended = in_memory()
    await send_offer(BY_MAIL, ended)
    await tell_of_expiry(an_example_of(OfferExpired), ended)
    assert (redirected.webhooks, ended.webhooks) == ([], [])


async def test_without_a_mail_server_a_mail_is_undeliverable_at_once() -> None:
    work = in_memory()
    work.delivery_terms = replace(TERMS, mail=None)
    await send_offer(BY_MAIL, work)
    assert work.webhooks == []
    (told,) = work.published
    assert isinstance(told, OfferUndeliverable)
    assert (told.channel, told.first_attempt_at, told.reason) == (Channel.EMAIL, None, "no mail server")


async def test_the_mail_servers_acceptance_is_the_delivery_and_its_refusal_is_told() -> None:
    work, stream, at = in_memory(), StreamKey(PACKAGES, str(PACKAGE)), MONDAY_NINE
    mailbox, about = f"mailto:{ALDER}", str(OFFER)
    await note_mailed(Delivered(an_id("mail"), mailbox, "offer.mailed", about, stream, at, at, attempts=1), work)
    await note_not_mailed(
        Undeliverable(an_id("mail"), mailbox, "offer.mailed", about, stream, at, attempts=3, reason="status 550"), work
    )
    assert work.published == [
        OfferDelivered(package_id=PACKAGE, offer_id=OFFER, provider_id=ALDER, channel=Channel.EMAIL, delivered_at=at),
        OfferUndeliverable(
            package_id=PACKAGE,
            offer_id=OFFER,
            provider_id=ALDER,
            channel=Channel.EMAIL,
            first_attempt_at=at,
            reason="status 550",
        ),
    ]


async def test_a_mailbox_is_a_channel_where_there_is_a_mail_server_and_until_it_is_removed() -> None:
    provider = a_provider()
    for mail, channels in ((TERMS.mail, (Channel.EMAIL, Channel.PHONE)), (None, (Channel.PHONE,))):
        work = in_memory(Market(providers={provider.provider_id: provider}))
        work.delivery_terms = replace(TERMS, mail=mail)
        await put_mailbox(PutMailbox(provider.provider_id, ADDRESS), work)
        assert work.market.providers[provider.provider_id].told.channels == channels
        await remove_mailbox(RemoveMailbox(provider.provider_id), work)
        assert work.market.providers[provider.provider_id].told.channels == (Channel.PHONE,)


def test_an_address_is_in_no_words_about_the_command() -> None:
    assert ADDRESS not in repr(PutMailbox(ALDER, ADDRESS))
