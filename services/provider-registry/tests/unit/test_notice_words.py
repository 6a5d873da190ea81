"""The words of notices: mails and calls say what is known, and never who the person is."""

from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from contracts.events.listings import PackageListed
from contracts.events.lists import AvailablePackagesIssued, BatchingListIssued, ListRecipient, ListRow, hash_rows
from contracts.events.notices import NoticeKind
from contracts.events.offers import OfferMade
from contracts.examples import COLCHESTER, a_definition, an_example_of, an_id
from contracts.framework.titles import Titles
from contracts.ids import ProviderId, ServiceTypeKey
from list_documents.returns.reading import read_return
from provider_registry.domain.list_mail import build_list_mail
from provider_registry.domain.list_rows import select_available_packages, select_batching_rows
from provider_registry.domain.mail_layout import Fact, MailLayout, MailLink, Table, render_html, render_text
from provider_registry.domain.notice import NoticeFacts
from provider_registry.domain.notice_words import WORDS, build_call_script, build_notice_mail
from provider_registry.domain.notices import OFFER_MADE, PACKAGE_AVAILABLE
from provider_registry.store.list_rendering import render_list
from testkit.provider_registry.builders import TENDRING

ALDER = ProviderId(an_id("Alder"))
FACTS = NoticeFacts(
    area=COLCHESTER,
    service_type=ServiceTypeKey("personal-care"),
    weekly_hours=Decimal("14.00"),
    starts_on=date(2026, 3, 9),
    reason="no-longer-needed",
    answer_by=datetime(2026, 6, 1, 9, 30, tzinfo=UTC),
)


class Outline(HTMLParser):
    """The elements of a document, by name, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def count(self, tag: str) -> int:
        return [name for name, _ in self.elements].count(tag)


def test_a_mail_states_what_is_known_with_the_titles_of_the_definition_and_the_offices_clock() -> None:
    mail = build_notice_mail(NoticeKind.PLACEMENT_VOIDED, FACTS, titles=Titles(a_definition()))
    text = render_text(mail)
    assert mail.subject == "Placement cancelled: Personal care, Colchester"
    for line in (
        "Service: Personal care",
        "Where: Colchester",
        "From: 09/03/2026",
        "Hours a week: 14.00",
        "Reason: No longer needed",
        "Answer before: 01/06/2026 10:30",
        "Do not start the care.",
    ):
        assert line in text


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_a_call_says_what_has_happened_first_and_what_to_do_last(kind: NoticeKind) -> None:
    said = build_call_script(kind, FACTS, Titles(a_definition()))
    assert (said[0], said[-1]) == (WORDS[kind].opening, WORDS[kind].next_step)
    assert "Service: Personal care." in said


def test_a_call_about_an_offer_says_all_that_its_mail_says() -> None:
    said = build_call_script(NoticeKind.OFFER_MADE, OFFER_MADE.facts(an_example_of(OfferMade)), Titles(a_definition()))
    for beginning in ("Service: ", "Visit: ", "Price: ", "In all: ", "Needs: ", "Time to answer: "):
        assert any(sentence.startswith(beginning) for sentence in said), beginning


def test_a_call_about_an_open_package_names_its_reference_and_not_the_package() -> None:
    listed = an_example_of(PackageListed)
    said = " ".join(build_call_script(NoticeKind.PACKAGE_AVAILABLE, PACKAGE_AVAILABLE.facts(listed), Titles(None)))
    assert str(listed.advert.reference) in said
    assert str(listed.package_id) not in said


def test_the_html_of_a_mail_is_accessible_and_escapes_what_it_shows() -> None:
    mail = MailLayout(
        subject="A <b>list</b>",
        heading="List",
        opening=["Fish & chips <script>"],
        facts=[Fact("Where", "Tendring & Colchester")],
        table=Table("Packages", ("Reference", "Skills"), [("a", "<i>hoist</i>"), ("b", "")]),
        link=MailLink("See it", 'https://sourcing.example/?a="b"&c=d'),
    )
    outline = Outline(render_html(mail))
    assert outline.elements[0] == ("html", {"lang": "en-GB"})
    assert (outline.count("h1"), outline.count("caption"), outline.count("img"), outline.count("script")) == (
        1,
        2,
        0,
        0,
    )
    scopes = [attributes["scope"] for name, attributes in outline.elements if name == "th"]
    assert scopes == ["row", "col", "col", "row", "row"]
    assert "Fish & chips <script>" in outline.text
    assert "<i>hoist</i>" in outline.text
    (link,) = [attributes["href"] for name, attributes in outline.elements if name == "a"]
    assert link == 'https://sourcing.example/?a="b"&c=d'


def a_row(area: str, name: str) -> ListRow:
    row = an_example_of(BatchingListIssued).rows[0]
    return row.model_copy(update={"advert": row.advert.model_copy(update={"area": area, "reference": an_id(name)})})


def read_mail(issued: BatchingListIssued | AvailablePackagesIssued, recipient: ListRecipient) -> MailLayout:
    rendered = render_list(issued, recipient, a_definition())
    return build_list_mail(rendered.text, link="https://sourcing.example/l")


def test_a_batching_list_has_the_rows_of_the_recipients_areas_only() -> None:
    issued = an_example_of(BatchingListIssued, rows=(a_row(TENDRING, "first"), a_row(COLCHESTER, "second")))
    recipient = ListRecipient(provider_id=ALDER, areas=(COLCHESTER,))
    part = select_batching_rows(issued, recipient)
    assert part is not None
    assert select_batching_rows(issued, ListRecipient(provider_id=ALDER, areas=())) is None
    text = render_text(read_mail(part, recipient))
    assert (str(an_id("second")) in text, str(an_id("first")) in text) == (True, False)
    assert "Answer Yes for each package that interests you" in text
    assert "https://sourcing.example/l" in text


def test_a_list_of_available_packages_has_all_rows_the_recipients_areas_first() -> None:
    rows = (a_row(TENDRING, "first"), a_row(COLCHESTER, "second"), a_row(TENDRING, "third"))
    issued = an_example_of(AvailablePackagesIssued, rows=rows, moved_from=date(2026, 5, 4))
    recipient = ListRecipient(provider_id=ALDER, areas=(COLCHESTER,))
    part = select_available_packages(issued, recipient)
    assert [row.advert.reference for row in part.rows] == [an_id(name) for name in ("second", "first", "third")]
    mail = read_mail(issued, recipient)
    assert "a bank holiday" in render_text(mail)
    assert mail.table is not None
    assert mail.table.rows[0][0] == str(an_id("second"))
    assert f"sha256:{hash_rows(issued.list_id, issued.rows)}" in render_text(mail), "the hash of the event"
    assert Outline(render_html(mail)).count("tr") == len(mail.facts) + 1 + len(rows)


def test_the_workbook_of_a_mail_is_the_list_that_the_mail_shows() -> None:
    issued = an_example_of(BatchingListIssued, rows=(a_row(COLCHESTER, "first"), a_row(COLCHESTER, "second")))
    rendered = render_list(issued, ListRecipient(provider_id=ALDER, areas=(COLCHESTER,)), a_definition())
    (workbook,) = rendered.files
    assert workbook.name == f"batching-list-{issued.day.isoformat()}.xlsx"
    returned = read_return(workbook.content)
    assert returned.list_id == issued.list_id
    assert f"sha256:{returned.content_hash}" == rendered.text.content_hash
    assert {str(row.reference) for row in returned.rows} == {row[0] for row in rendered.text.rows}
