"""Mails of notices: completes their facts from what is known of the offer or placement, and words them."""

from collections.abc import Mapping

from contracts.events.notices import NoticeKind
from contracts.framework.titles import Titles
from contracts.ids import OfferId, PackageId, ProviderId
from contracts.offer_links import OfferLink
from contracts.office_time import to_office_date
from provider_registry.domain.mail_layout import MailLink
from provider_registry.domain.mails import write_mail
from provider_registry.domain.notice import NO_FACTS, Notice, NoticeFacts
from provider_registry.domain.notice_words import build_notice_mail
from provider_registry.ports import RegistryWork
from service_runtime.webhooks.mail_content import COMPOSE, REFUSAL_IS_FINAL

_ABOUT_OFFERS = frozenset({NoticeKind.OFFER_EXTENDED, NoticeKind.OFFER_WITHDRAWN, NoticeKind.OFFER_EXPIRED})


async def build_mail_data(notice: Notice, work: RegistryWork) -> tuple[Notice, Mapping[str, object]]:
    """Returns the notice with all facts that are known, and its mail as it is queued.

    The mail of a list is composed as it is sent, from the list as it was issued.
    """
    if notice.list_id is not None and notice.facts.issued is not None:
        reference = {
            "list_id": str(notice.list_id),
            "part": notice.facts.issued.part,
            "provider_id": str(notice.provider_id),
        }
        return notice, {COMPOSE: reference, REFUSAL_IS_FINAL: True}
    completed = await complete_facts(notice, work)
    framework = completed.facts.framework
    found = await work.frameworks.load_in_force([framework] if framework else [], on=to_office_date(work.now))
    titles = Titles(found.get(framework) if framework else None)
    mail = build_notice_mail(notice.kind, completed.facts, titles=titles, link=_build_link(completed, work))
    return completed, {**write_mail(mail), REFUSAL_IS_FINAL: True}


async def complete_facts(notice: Notice, work: RegistryWork) -> Notice:
    """Returns the notice with what is known of its offer or placement."""
    if notice.package_id is None:
        return notice
    known = NO_FACTS
    if notice.kind in _ABOUT_OFFERS:
        known = await find_offer_facts(notice.package_id, OfferId(notice.about), work)
    elif notice.kind is NoticeKind.PLACEMENT_VOIDED:
        placed = await work.notices.find_newest(notice.package_id, NoticeKind.PACKAGE_PLACED, notice.about)
        known = NO_FACTS if placed is None else placed.facts
    return notice.with_facts(notice.facts.complete(known))


async def find_offer_facts(package_id: PackageId, offer_id: OfferId, work: RegistryWork) -> NoticeFacts:
    """Returns what is known of an offer: of the webhook that carried it, or of its mail or call."""
    summary = await work.sent_offers.find_summary(package_id, offer_id)
    if summary is not None:
        return NoticeFacts(framework=summary.care.framework, area=summary.care.area, offer=summary)
    made = await work.notices.find_newest(package_id, NoticeKind.OFFER_MADE, offer_id)
    return NO_FACTS if made is None else NoticeFacts(made.facts.framework, made.facts.area, offer=made.facts.offer)


def build_offer_link(offer_id: OfferId, provider_id: ProviderId, work: RegistryWork) -> str | None:
    """Returns the address of the page that answers an offer; None without a mail server."""
    terms = work.delivery_terms
    if terms.mail is None:
        return None
    token = terms.mail.links.create_token(OfferLink(offer_id, provider_id, work.now + terms.mail.link_valid_for))
    return f"{terms.addresses.sourcing}/v1/offer-links/{token}"


def _build_link(notice: Notice, work: RegistryWork) -> MailLink | None:
    if notice.kind is not NoticeKind.OFFER_EXTENDED:
        return None
    url = build_offer_link(OfferId(notice.about), notice.provider_id, work)
    return None if url is None else MailLink("See it in full and answer it here", url)
