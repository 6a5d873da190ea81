"""Content of offer mails: the webhook's content in words, and the link to the answer page."""

from contracts.framework.titles import Titles
from contracts.ids import OfferId
from contracts.values import AnswerBy
from provider_registry.domain.mail_layout import MailLayout, MailLink, render_html, render_text
from provider_registry.domain.messages import OFFER_MAILED, Message
from provider_registry.domain.notice_words import describe_time_to_answer
from provider_registry.domain.offer_facts import describe_offer
from provider_registry.domain.offer_summary import OfferSummary


def build_offer_mail(
    offer_id: OfferId, summary: OfferSummary | None, answer_by: AnswerBy, *, link: str, titles: Titles
) -> Message:
    """Builds the mail. Without a summary it carries the link only; the page shows the offer."""
    mail = MailLayout(
        subject=_format_subject(summary, titles),
        heading="Offer of a package of care",
        opening=["A package of care at home is offered to you."],
        facts=[] if summary is None else describe_offer(summary, titles),
        next_steps=[
            f"Time to answer: {describe_time_to_answer(answer_by)}, from when this mail reached your mail server."
        ],
        link=MailLink("See it in full and answer it here", link),
        closing=["Anyone with this link can answer for you; do not forward it."],
    )
    return Message(OFFER_MAILED, str(offer_id), write_mail(mail))


def write_mail(mail: MailLayout) -> dict[str, object]:
    """Returns the mail as it is queued."""
    return {"subject": mail.subject, "text": render_text(mail), "html": render_html(mail)}


def _format_subject(summary: OfferSummary | None, titles: Titles) -> str:
    if summary is None:
        return "Offer of a package of care"
    return f"Offer: {titles.get_service_type(summary.care.service_type)}, {summary.care.outward_code}"
