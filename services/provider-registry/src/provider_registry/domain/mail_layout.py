"""The layout of a mail to a provider: the same content as plain text and as accessible HTML.

The HTML has a language, one heading, tables with a caption and header cells, and neither images nor scripts; its
colours are those of the reader's program.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_STYLE: Final = "font-family: Arial, sans-serif; line-height: 1.5"
_CELL: Final = "text-align: left; vertical-align: top; padding: 4px 12px 4px 0"


@dataclass(frozen=True)
class Fact:
    """One line of the mail: `Service: personal care`."""

    name: str
    value: str


@dataclass(frozen=True)
class Table:
    """Rows under headers; the first cell of a row names it."""

    caption: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class MailLink:
    text: str
    url: str


@dataclass(frozen=True)
class MailLayout:
    """What a mail says, in the order of reading."""

    subject: str
    heading: str
    opening: Sequence[str]
    facts: Sequence[Fact] = ()
    table: Table | None = None
    next_steps: Sequence[str] = ()
    link: MailLink | None = None
    closing: Sequence[str] = ()


def render_text(mail: MailLayout) -> str:
    """Renders the plain text: paragraphs separated by an empty line, a line for each fact."""
    blocks = [
        "\n".join(mail.opening),
        "\n".join(f"{fact.name}: {fact.value}" for fact in mail.facts),
        "" if mail.table is None else _render_table_as_text(mail.table),
        "\n".join([*mail.next_steps, *([] if mail.link is None else [f"{mail.link.text}: {mail.link.url}"])]),
        "\n".join(mail.closing),
    ]
    return "\n\n".join(block for block in blocks if block)


def _render_table_as_text(table: Table) -> str:
    rows = [
        "\n".join(f"{header}: {cell}" for header, cell in zip(table.headers, row, strict=True) if cell)
        for row in table.rows
    ]
    return "\n\n".join([table.caption, *rows])


def render_html(mail: MailLayout) -> str:
    """Renders a complete document; every text is escaped."""
    parts = [
        f"<h1>{escape(mail.heading)}</h1>",
        *_render_paragraphs(mail.opening),
        *([_render_facts(mail.facts)] if mail.facts else []),
        *([] if mail.table is None else [_render_table(mail.table)]),
        *_render_paragraphs(mail.next_steps),
        *([] if mail.link is None else [_render_link(mail.link)]),
        *_render_paragraphs(mail.closing),
    ]
    head = f'<meta charset="utf-8"><title>{escape(mail.subject)}</title>'
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en-GB">\n<head>{head}</head>\n'
        f'<body style="{_STYLE}">\n{body}\n</body>\n</html>\n'
    )


def _render_paragraphs(sentences: Sequence[str]) -> list[str]:
    return [f"<p>{escape(sentence)}</p>" for sentence in sentences]


def _render_facts(facts: Sequence[Fact]) -> str:
    rows = "\n".join(
        f'<tr><th scope="row" style="{_CELL}">{escape(fact.name)}</th>'
        f'<td style="{_CELL}">{escape(fact.value)}</td></tr>'
        for fact in facts
    )
    return f'<table>\n<caption style="{_CELL}">In detail</caption>\n<tbody>\n{rows}\n</tbody>\n</table>'


def _render_table(table: Table) -> str:
    headers = "".join(f'<th scope="col" style="{_CELL}">{escape(header)}</th>' for header in table.headers)
    rows = "\n".join(f"<tr>{_render_cells(row)}</tr>" for row in table.rows)
    return (
        f'<table>\n<caption style="{_CELL}">{escape(table.caption)}</caption>\n'
        f"<thead>\n<tr>{headers}</tr>\n</thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
    )


def _render_cells(row: Sequence[str]) -> str:
    first, *others = row
    cells = "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in others)
    return f'<th scope="row" style="{_CELL}">{escape(first)}</th>{cells}'


def _render_link(link: MailLink) -> str:
    return f'<p><a href="{escape(link.url)}">{escape(link.text)}</a></p>'
