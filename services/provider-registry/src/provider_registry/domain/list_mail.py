"""The mail of a list: its rows in text and HTML, with the same list as an attached workbook."""

from collections.abc import Sequence
from typing import Final

from contracts.events.lists import AvailablePackagesIssued, BatchingListIssued, ListRow
from provider_registry.domain.mail_layout import Fact, MailLayout, MailLink, Table
from provider_registry.domain.notice_words import format_instant
from provider_registry.domain.titles import Titles

_BATCHING_COLUMNS: Final = ("Reference", "Service", "Where", "Hours a week", "Carers at once", "Adult", "Skills")
_OPEN_COLUMNS: Final = (*_BATCHING_COLUMNS, "Rate for each")


def build_batching_mail(issued: BatchingListIssued, *, titles: Titles, link: str | None) -> MailLayout:
    """Builds the mail of a Batching List with the recipient's rows."""
    return MailLayout(
        subject=f"Batching List of {issued.day:%d/%m/%Y}",
        heading=f"Batching List of {issued.day:%d/%m/%Y}",
        opening=["These packages of care at home are not placed yet."],
        facts=[Fact("Return it by", format_instant(issued.closes_at)), Fact("Packages", str(len(issued.rows)))],
        table=Table("Packages", _BATCHING_COLUMNS, [_describe_row(row, titles) for row in issued.rows]),
        next_steps=["Mark the packages that interest you in the attached workbook and return it, or use the page."],
        link=_build_link(link),
        closing=_list_closing(issued.content_hash),
    )


def build_available_mail(issued: AvailablePackagesIssued, *, titles: Titles, link: str | None) -> MailLayout:
    """Builds the mail of a list of available packages, the recipient's areas first."""
    moved = [] if issued.moved_from is None else [Fact("Moved from", f"{issued.moved_from:%d/%m/%Y}, a bank holiday")]
    return MailLayout(
        subject=f"Available Packages list of {issued.day:%d/%m/%Y}",
        heading=f"Available Packages list of {issued.day:%d/%m/%Y}",
        opening=["These packages of care at home are open to proposals until they are placed."],
        facts=[
            *moved,
            Fact("Packages", str(len(issued.rows))),
            Fact("Next list", f"{issued.next_list_on:%d/%m/%Y}"),
        ],
        table=Table(
            "Packages",
            _OPEN_COLUMNS,
            [[*_describe_row(row, titles), titles.get_unit(row.unit)] for row in issued.rows],
        ),
        next_steps=["Propose a rate and how you would deliver, in the attached workbook or on the page."],
        link=_build_link(link),
        closing=_list_closing(issued.content_hash),
    )


def _describe_row(row: ListRow, titles: Titles) -> list[str]:
    advert = row.advert
    area = titles.get_area(advert.area)
    return [
        str(advert.reference),
        titles.get_service_type(advert.service_type),
        area if advert.outward_code is None else f"{advert.outward_code}, {area}",
        f"{advert.weekly_hours:.2f}",
        str(advert.carers_at_once),
        advert.age_band if advert.carer_gender is None else f"{advert.age_band}; {advert.carer_gender}",
        ", ".join(titles.get_need(each) for each in advert.skills),
    ]


def _build_link(url: str | None) -> MailLink | None:
    return None if url is None else MailLink("See the list and answer it here", url)


def _list_closing(content_hash: str) -> Sequence[str]:
    return [
        "Anyone with this link can answer for you; do not forward it.",
        f"Content of the list: sha256:{content_hash}",
    ]
