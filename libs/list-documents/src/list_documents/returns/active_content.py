"""Refuses workbooks that run something or fetch something: macros, embedded objects, links to files and programs.

A list has none of these, so whatever contains one is not the list that was sent.
"""

import re
from collections.abc import Iterable
from typing import Final

from list_documents.errors import ActiveContent, NotAList, PasswordProtected
from list_documents.returns.containers import Parts

_MACROS: Final = re.compile(r"vbaproject|/macrosheets/|/dialogsheets/|^basic/|^scripts/|customui", re.IGNORECASE)
_LINKS: Final = re.compile(
    r"/(externallinks|embeddings|activex|ctrlprops|querytables|webextensions)/|/connections\.xml$|^object ",
    re.IGNORECASE,
)
_BINARY: Final = re.compile(r"^xl/workbook\.bin$", re.IGNORECASE)
_MACRO_TYPES: Final = re.compile(rb"macroEnabled|vbaProject|ms-excel\.(intl)?macrosheet", re.IGNORECASE)
_DDE: Final = re.compile(rb"<[^<>]*\b(ddeLink|oleLink|dde-link|dde-source|event-listener)\b", re.IGNORECASE)
_ODS_ENCRYPTED: Final = re.compile(rb"<[^<>]*\bencryption-data\b")


def check_names(names: Iterable[str]) -> None:
    """Raises a ReturnRefused if a part of the workbook is one of those."""
    together = list(names)
    if any(_MACROS.search(name) for name in together):
        raise _build_macros()
    if any(_LINKS.search(name) for name in together):
        raise _build_links()
    if any(_BINARY.search(name) for name in together):
        raise NotAList("this is a binary workbook (.xlsb); save it as an Excel workbook (.xlsx) and send that")


def check_parts(parts: Parts) -> None:
    """Raises a ReturnRefused if the content of a part declares what its name does not show."""
    if any(_MACRO_TYPES.search(content) for name, content in parts.items() if "content_types" in name.lower()):
        raise _build_macros()
    if any(_DDE.search(content) for content in parts.values()):
        raise _build_links()
    if _ODS_ENCRYPTED.search(parts.get("META-INF/manifest.xml", b"")):
        raise PasswordProtected("the workbook is encrypted; save it without a password and send it again")


def _build_macros() -> ActiveContent:
    return ActiveContent("the workbook contains macros; save it as an Excel workbook without macros (.xlsx)")


def _build_links() -> ActiveContent:
    return ActiveContent("the workbook contains links or embedded objects; send the list as you received it")
