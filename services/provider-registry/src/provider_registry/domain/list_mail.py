"""The mail of a list: its rows in text and HTML, in the words of the attached workbook."""

from dataclasses import dataclass

from provider_registry.domain.mail_layout import Fact, MailLayout, MailLink, Table


@dataclass(frozen=True)
class ListAsText:
    """A list in words: what one recipient gets, in the order in which it reads the rows."""

    title: str
    framework: str
    sentences: tuple[str, ...]
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    content_hash: str
    """Of these rows; the workbook shows it too."""


def build_list_mail(listed: ListAsText, *, link: str | None) -> MailLayout:
    """Builds the mail; `link` is the address of the list's page for this recipient."""
    page = None if link is None else MailLink("See the list and answer it here", link)
    warning = [] if link is None else ["Anyone with this link can answer for you; do not forward it."]
    return MailLayout(
        subject=listed.title,
        heading=listed.title,
        opening=[f"Packages of care at home: {listed.framework}."],
        facts=[Fact("Packages", str(len(listed.rows)))],
        table=Table("Packages", listed.headers, listed.rows),
        next_steps=["The attached workbook is the same list.", *listed.sentences],
        link=page,
        closing=[*warning, f"Content of the list: {listed.content_hash}"],
    )
