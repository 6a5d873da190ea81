"""Offers by mail: content, link, and the events that publish the results."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from contracts.catalogue import PACKAGES
from contracts.events.offers import OfferDelivered, OfferExpired, OfferMade, OfferRedirected, OfferUndeliverable
from contracts.example_words import Needs, Routes
from contracts.examples import a_definition, a_visit, an_example_of, an_id, some_care
from contracts.framework.titles import Titles
from contracts.ids import OfferId, PackageId, ProviderId
from contracts.values import AnswerBy, Channel, UnitKind, Weekday
from provider_registry.domain.mails import build_offer_mail
from provider_registry.domain.offer_summary import OfferSummary
from provider_registry.handlers.channels import (
    PutMailbox,
    RemoveMailbox,
    put_mailbox,
    remove_mailbox,
)
from provider_registry.handlers.offers import (
    publish_mail_delivered,
    publish_mail_undeliverable,
    redirect_offer,
    send_offer,
)
from provider_registry.handlers.package_notices import notify_of_expiry
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.results import Delivered, Undeliverable
from testkit.clocks import MONDAY_NINE
from testkit.provider_registry.builders import TERMS, a_provider
from testkit.provider_registry.fakes import RegistryTables, build_unit_of_work

OFFER, PACKAGE, ALDER = OfferId(an_id("offer_id")), PackageId(an_id("package_id")), ProviderId(an_id("provider_id"))
ADDRESS = "offers@alder.example"
LINK = "https://sourcing.example/v1/offer-links/"
BY_MAIL = an_example_of(OfferMade, channel=Channel.EMAIL, deliver_within_minutes=5)
TO_MAIL = an_example_of(
    OfferRedirected, from_channel=Channel.WEBHOOK, to_channel=Channel.EMAIL, deliver_within_minutes=7
)


def summarize(offer: OfferMade) -> OfferSummary:
    return OfferSummary(offer.care, offer.weekly_hours, offer.terms)


async def test_an_offer_by_mail_is_queued_for_the_mailbox_with_the_offers_own_time_to_arrive() -> None:
    work = build_unit_of_work()
    await send_offer(BY_MAIL, work)
    (mail,) = work.webhooks
    assert (mail.owner, mail.kind, mail.about) == (f"mailto:{ALDER}", "offer.mailed", str(OFFER))
    assert mail.give_up_after == timedelta(minutes=5)


async def test_the_link_in_a_mail_is_for_one_offer_and_provider_and_expires() -> None:
    work = build_unit_of_work()
    await send_offer(BY_MAIL, work)
    text = str(work.webhooks[0].data["text"])
    token = text.split(LINK)[1].split(maxsplit=1)[0]
    assert TERMS.mail is not None
    link = TERMS.mail.links.verify_token(token, now=MONDAY_NINE)
    assert (link.offer_id, link.provider_id) == (OFFER, ALDER)
    assert link.ends_at == MONDAY_NINE + timedelta(days=7)


def build_text(titles: Titles, **changed: object) -> str:
    visit = a_visit(days=(Weekday.MON, Weekday.FRI), carers=2, time_critical=True)
    care = some_care(visits=(visit,), needs=(Needs.HOIST, Needs.KEY_SAFE), **changed)
    summary = OfferSummary(care, Decimal("4.00"), BY_MAIL.terms)
    mail = build_offer_mail(OFFER, summary, AnswerBy(minutes=30, brokerage_time=True), link=LINK, titles=titles)
    return f"{mail.data['subject']}\n{mail.data['text']}"


def test_a_mail_states_the_content_of_the_webhook_with_the_titles_of_the_definition() -> None:
    text = build_text(Titles(a_definition()))
    for line in (
        "Offer: Personal care, CO1",
        "Service: Personal care",
        "Where: CO1, Colchester",
        "From: 09/03/2026 (Community, not urgent)",
        "Hours a week: 4.00",
        "Visit: MON FRI, 07:30 to 09:00, 30 minutes, 2 carers, time-critical",
        "Adult: 75-84; carers: any",
        "Needs: Hoist, Key safe",
        "Price: Personal care, £24.10 for each hour, 3.50 a week",
        "In all: £84.35 a week (",
        "30 minutes of brokerage time",
    ):
        assert line in text


def test_without_a_definition_a_mail_shows_keys_with_spaces() -> None:
    text = build_text(Titles(None), route=Routes.HOSPITAL_DISCHARGE, urgent=True)
    for line in ("Service: personal care", "Where: CO1, E07000071", "(hospital discharge, urgent)", "hoist, key safe"):
        assert line in text


def test_a_price_of_two_lines_states_what_is_paid_once_and_what_is_paid_each_week() -> None:
    weekly = BY_MAIL.terms.lines[0]
    episode = weekly.model_copy(update={"item": "assessment", "unit": "episode", "unit_kind": UnitKind.EPISODE})
    terms = BY_MAIL.terms.model_copy(update={"lines": (weekly, episode), "fixed_cost": Decimal("84.35")})
    summary = OfferSummary(some_care(), Decimal("3.50"), terms)
    mail = build_offer_mail(
        OFFER, summary, AnswerBy(minutes=30, brokerage_time=True), link=LINK, titles=Titles(a_definition())
    )
    assert "Price: assessment, £24.10 for each episode, 3.50 once" in str(mail.data["text"])
    assert "In all: £84.35 once, £84.35 a week (" in str(mail.data["text"])


async def test_an_offer_redirected_to_mail_states_the_content_of_the_webhook() -> None:
    work = build_unit_of_work(RegistryTables(offer_summaries={(PACKAGE, OFFER): summarize(BY_MAIL)}))
    await send_offer(an_example_of(OfferMade, channel=Channel.WEBHOOK), work)
    await redirect_offer(TO_MAIL, work)
    assert [webhook.kind for webhook in work.webhooks] == ["offer.mailed"]
    assert work.webhooks[0].give_up_after == timedelta(minutes=7)
    assert "Service: personal care" in str(work.webhooks[0].data["text"])


async def test_an_offer_first_made_by_telephone_is_mailed_with_the_link_only() -> None:
    work = build_unit_of_work()
    await redirect_offer(TO_MAIL, work)
    assert work.webhooks[0].data["subject"] == "Offer of a package of care"
    assert LINK in str(work.webhooks[0].data["text"])


async def test_an_unsent_mail_is_cancelled() -> None:
    redirected = build_unit_of_work()
    await send_offer(BY_MAIL, redirected)
    by_phone = an_example_of(OfferRedirected, from_channel=Channel.EMAIL, to_channel=Channel.PHONE)
    await redirect_offer(by_phone, redirected)
    ended = build_unit_of_work()
    await send_offer(BY_MAIL, ended)
    await notify_of_expiry(an_example_of(OfferExpired), ended)
    assert (redirected.webhooks, ended.webhooks) == ([], [])


async def test_without_a_mail_server_a_mail_is_undeliverable_at_once() -> None:
    work = build_unit_of_work()
    work.delivery_terms = replace(TERMS, mail=None)
    await send_offer(BY_MAIL, work)
    assert work.webhooks == []
    (event,) = work.published
    assert isinstance(event, OfferUndeliverable)
    assert (event.channel, event.first_attempt_at, event.reason) == (Channel.EMAIL, None, "no mail server")


async def test_acceptance_by_the_mail_server_is_the_delivery_and_a_refusal_is_published() -> None:
    work, stream, at = build_unit_of_work(), StreamKey(PACKAGES, str(PACKAGE)), MONDAY_NINE
    mailbox, about = f"mailto:{ALDER}", str(OFFER)
    await publish_mail_delivered(
        Delivered(an_id("mail"), mailbox, "offer.mailed", about, stream, at, at, attempts=1), work
    )
    await publish_mail_undeliverable(
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


async def test_a_mailbox_is_a_channel_if_there_is_a_mail_server_until_it_is_removed() -> None:
    provider = a_provider()
    for mail, channels in ((TERMS.mail, (Channel.EMAIL, Channel.PHONE)), (None, (Channel.PHONE,))):
        work = build_unit_of_work(RegistryTables(providers={provider.provider_id: provider}))
        work.delivery_terms = replace(TERMS, mail=mail)
        await put_mailbox(PutMailbox(provider.provider_id, ADDRESS), work)
        assert work.tables.providers[provider.provider_id].published.channels == channels
        await remove_mailbox(RemoveMailbox(provider.provider_id), work)
        assert work.tables.providers[provider.provider_id].published.channels == (Channel.PHONE,)


def test_the_repr_of_a_command_omits_the_address() -> None:
    assert ADDRESS not in repr(PutMailbox(ALDER, ADDRESS))
