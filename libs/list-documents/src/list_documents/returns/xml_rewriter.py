"""Writes a part's XML anew with the elements and attributes that a list needs, before a parser of spreadsheets sees it.

Parsers of spreadsheets trust what a file declares: they reserve memory for a stated number of texts, and repeat a cell
as often as it is told. What is written here declares nothing that was not counted. The source is well-formed UTF-8
without entities; everything else is refused.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from html import escape
from typing import Final, Protocol
from xml.parsers import expat

from list_documents.errors import ReturnDamaged, ReturnRefused, ReturnTooLarge
from list_documents.returns.limits import MAX_DEPTH, MAX_ELEMENTS, MAX_TAG_BYTES

_MAX_DIGITS: Final = 9
_ENCODINGS: Final = ("UTF-8", "US-ASCII", "ASCII")
_LONG_TAG: Final = re.compile(rb"<[^<]{%d}" % MAX_TAG_BYTES)

Attributes = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Grammar:
    """The elements that are kept, each with the attributes that are kept; the rest is left out with all within it."""

    elements: Mapping[str, Collection[str]]
    namespaces: str
    """Declarations for the outermost element."""
    has_prefixes: bool
    """True: names are compared and written with their prefix; False: without."""


class Handler(Protocol):
    """What is called for each element that is kept."""

    def start(self, name: str, attributes: Attributes) -> None: ...
    def end(self, name: str) -> None: ...
    def add_text(self, text: str) -> None: ...


def rewrite(content: bytes, grammar: Grammar, handler: Handler) -> bytes:
    """Returns the part; raises ReturnDamaged for XML that is not plain, ReturnTooLarge for too much of it."""
    if b"\0" in content:  # UTF-16, which expat reads without being asked to
        raise build_damaged()
    if _LONG_TAG.search(content):
        raise ReturnTooLarge("a cell has more text than a list can have; send the list as you received it")
    return _Rewriter(grammar, handler).run(content)


class _Rewriter:
    def __init__(self, grammar: Grammar, handler: Handler) -> None:
        self._grammar = grammar
        self._handler = handler
        self._written = list[str]()
        self._elements = self._depth = self._left_out = 0

    def run(self, content: bytes) -> bytes:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.XmlDeclHandler = self._check_declaration
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._add_text
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            raise build_damaged() from error
        return "".join(self._written).encode()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise ReturnTooLarge("a sheet has more cells than a list can have; send the list as you received it")
        name = self._name(tag)
        if self._left_out or name not in self._grammar.elements:
            self._left_out += 1
            return
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise build_damaged()
        kept = {key: attributes[key] for key in self._grammar.elements[name] if key in attributes}
        declared = self._grammar.namespaces if not self._written else ""
        written = "".join(f' {key}="{escape(kept[key])}"' for key in kept)
        self._written.append(f"<{name}{declared}{written}>")
        self._handler.start(name, kept)

    def _end(self, tag: str) -> None:
        if self._left_out:
            self._left_out -= 1
            return
        self._depth -= 1
        name = self._name(tag)
        self._written.append(f"</{name}>")
        self._handler.end(name)

    def _add_text(self, text: str) -> None:
        if not self._left_out:
            self._written.append(escape(text))
            self._handler.add_text(text)

    def _name(self, tag: str) -> str:
        return tag if self._grammar.has_prefixes else tag.rpartition(":")[2]

    @staticmethod
    def _check_declaration(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.upper() not in _ENCODINGS:
            raise build_damaged()

    @staticmethod
    def _refuse_doctype(*_: object) -> None:
        raise build_damaged()


def parse_count(text: str) -> int:
    """Returns a number of rows or columns as a part states it; raises ReturnDamaged for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise build_damaged()
    return int(text)


def build_damaged() -> ReturnRefused:
    return ReturnDamaged("a part of the workbook is not valid; save it again in your spreadsheet program and send that")
