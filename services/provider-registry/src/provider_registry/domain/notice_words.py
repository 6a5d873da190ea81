"""The words of notices, from their coded facts: what a mail says, and what an officer says on the telephone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from contracts.events.lists import ListKind
from contracts.events.notices import NoticeKind
from contracts.framework.titles import Titles
from contracts.ids import ReasonKey
from contracts.office_time import to_office_time
from contracts.values import AnswerBy
from provider_registry.domain.mail_layout import Fact, MailLayout, MailLink
from provider_registry.domain.notice import ListFacts, NoticeFacts
from provider_registry.domain.offer_facts import describe_offer

_NO_PERSON: Final = "This message does not say who the person is; neither should an answer to it."


@dataclass(frozen=True)
class NoticeWords:
    """`subject` is short, `opening` says what has happened, and `next_step` what the provider does now."""

    subject: str
    opening: str
    next_step: str


WORDS: Final[Mapping[NoticeKind, NoticeWords]] = MappingProxyType(
    {
        NoticeKind.OFFER_MADE: NoticeWords(
            "Offer",
            "A package of care at home is offered to you.",
            "Say whether you accept or decline it.",
        ),
        NoticeKind.OFFER_EXTENDED: NoticeWords(
            "More time to answer an offer",
            "You can answer the offer of a package of care for longer than it said.",
            "Answer it as the offer says.",
        ),
        NoticeKind.OFFER_WITHDRAWN: NoticeWords(
            "Offer withdrawn",
            "The offer of a package of care to you is withdrawn.",
            "You need not answer it any more.",
        ),
        NoticeKind.OFFER_EXPIRED: NoticeWords(
            "Offer ended without an answer",
            "The time to answer the offer of a package of care to you is over.",
            "The package is offered to others; you need do nothing.",
        ),
        NoticeKind.PACKAGE_PLACED: NoticeWords(
            "Package placed with you",
            "A package of care at home is placed with you.",
            "Ask the council's brokerage team for the person's details and the care plan.",
        ),
        NoticeKind.PLACEMENT_VOIDED: NoticeWords(
            "Placement cancelled",
            "A package of care that was placed with you is not yours any more.",
            "Do not start the care.",
        ),
        NoticeKind.PACKAGE_AVAILABLE: NoticeWords(
            "Package available",
            "A package of care at home is open to proposals.",
            "If you can take it, tell the council's brokerage team your rate and how you would deliver it.",
        ),
        NoticeKind.PROPOSAL_NOT_CHOSEN: NoticeWords(
            "Proposal not chosen",
            "Your proposal for a package of care was not chosen.",
            "You need do nothing.",
        ),
        NoticeKind.COUNTER_OFFER_MADE: NoticeWords(
            "Counter-offer",
            "The council answers your proposal for a package of care by another rate.",
            "Accept or decline it, or propose anew; tell the council's brokerage team if you have no system.",
        ),
        NoticeKind.LIST_ISSUED: NoticeWords(
            "List of packages",
            "There is a new list of packages of care at home for you.",
            "Say which packages interest you.",
        ),
    }
)


def build_notice_mail(
    kind: NoticeKind, facts: NoticeFacts, *, titles: Titles, link: MailLink | None = None
) -> MailLayout:
    """Builds the mail of a notice other than an offer or a list."""
    words = WORDS[kind]
    return MailLayout(
        subject=_format_subject(words, facts, titles),
        heading=words.subject,
        opening=[words.opening],
        facts=list_facts(facts, titles),
        next_steps=[words.next_step],
        link=link,
        closing=[_NO_PERSON],
    )


def build_call_script(kind: NoticeKind, facts: NoticeFacts, titles: Titles) -> list[str]:
    """Returns the sentences that an officer says, in their order; none identifies the person."""
    words = WORDS[kind]
    return [
        words.opening,
        *(f"{fact.name}: {fact.value}." for fact in list_facts(facts, titles)),
        words.next_step,
    ]


def list_facts(facts: NoticeFacts, titles: Titles) -> Sequence[Fact]:
    """Returns what is known, a line for each; of an offer all that its mail says."""
    if facts.offer is not None:
        described = describe_offer(facts.offer, titles)
    elif facts.advert is not None:
        described = _describe_advert(facts, titles)
    elif facts.issued is not None:
        described = _describe_list(facts.issued)
    else:
        described = _describe_package(facts, titles)
    return [*described, *_describe_change(facts, titles)]


def _format_subject(words: NoticeWords, facts: NoticeFacts, titles: Titles) -> str:
    service_type, place = facts.service_type, facts.outward_code
    if facts.offer is not None:
        service_type, place = facts.offer.care.service_type, facts.offer.care.outward_code
    if facts.advert is not None:
        service_type = facts.advert.service_type
        place = facts.advert.outward_code or titles.get_area(facts.advert.area)
    if place is None and facts.area is not None:
        place = titles.get_area(facts.area)
    details = [titles.get_service_type(service_type)] if service_type is not None else []
    return f"{words.subject}: {', '.join([*details, place])}" if place is not None else words.subject


def _describe_package(facts: NoticeFacts, titles: Titles) -> list[Fact]:
    found: list[Fact] = []
    if facts.service_type is not None:
        found.append(Fact("Service", titles.get_service_type(facts.service_type)))
    if facts.area is not None:
        area = titles.get_area(facts.area)
        found.append(Fact("Where", area if facts.outward_code is None else f"{facts.outward_code}, {area}"))
    if facts.starts_on is not None:
        found.append(Fact("From", f"{facts.starts_on:%d/%m/%Y}"))
    if facts.weekly_hours is not None:
        found.append(Fact("Hours a week", f"{facts.weekly_hours:.2f}"))
    return found


def _describe_advert(facts: NoticeFacts, titles: Titles) -> list[Fact]:
    advert = facts.advert
    if advert is None:
        return []
    area = titles.get_area(advert.area)
    skills = ", ".join(titles.get_need(each) for each in advert.skills)
    return [
        Fact("Reference", str(advert.reference)),
        Fact("Service", titles.get_service_type(advert.service_type)),
        Fact("Where", area if advert.outward_code is None else f"{advert.outward_code}, {area}"),
        Fact("Hours a week", f"{advert.weekly_hours:.2f}"),
        Fact("Carers at once", str(advert.carers_at_once)),
        Fact("Adult", advert.age_band),
        *([] if advert.carer_gender is None else [Fact("Carers", advert.carer_gender)]),
        Fact("Skills", skills or "none given"),
        *([] if facts.unit is None else [Fact("Rate", f"for each {titles.get_unit(facts.unit)}")]),
    ]


def _describe_list(issued: ListFacts) -> list[Fact]:
    names = {ListKind.BATCHING_LIST: "Batching List", ListKind.AVAILABLE_PACKAGES: "Available Packages list"}
    found = [Fact("List", f"{names[issued.kind]} of {issued.day:%d/%m/%Y}"), Fact("Packages", str(issued.rows))]
    if issued.moved_from is not None:
        found.append(Fact("Moved from", f"{issued.moved_from:%d/%m/%Y}, a bank holiday"))
    if issued.closes_at is not None:
        found.append(Fact("Return it by", format_instant(issued.closes_at)))
    return found


def _describe_change(facts: NoticeFacts, titles: Titles) -> list[Fact]:
    found: list[Fact] = []
    if facts.rate is not None and facts.unit is not None:
        found.append(Fact("Rate", f"£{facts.rate:.2f} for each {titles.get_unit(facts.unit)}"))
    if facts.reason is not None:
        found.append(Fact("Reason", titles.get_withdrawal_reason(ReasonKey(facts.reason))))
    if facts.answer_by is not None:
        found.append(Fact("Answer before", format_instant(facts.answer_by)))
    elif facts.answer_within is not None:
        found.append(Fact("Time to answer", describe_time_to_answer(facts.answer_within)))
    return found


def describe_time_to_answer(answer_within: AnswerBy) -> str:
    time = "of brokerage time" if answer_within.brokerage_time else "of plain time"
    return f"{answer_within.minutes} minutes {time}"


def format_instant(at: datetime) -> str:
    """Formats an instant as the office's clock shows it."""
    return f"{to_office_time(at):%d/%m/%Y %H:%M}"
