"""Rules for text that people and systems type: it is normalised first, then judged, and errors never repeat it.

Normalising is the same for every field. Line ends become a line feed and special spaces an ordinary space; invisible
characters that carry no meaning are dropped; joiners inside a word stay, because some scripts need them; the text is
composed (Unicode NFC) and trimmed. Other control characters are refused with their kind, code point and position.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

_DROPPED: Final = "\u00ad\u061c\u200b\u200e\u200f\u2060\ufeff"
"""Soft hyphen, direction marks, zero-width space, word joiner, byte order mark: pasted along, never typed."""
_JOINERS: Final = "\u200c\u200d"
_SPACES: Final = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_TRIMMED: Final = f" \t\n{_JOINERS}"
_TRANSLATION: Final[Mapping[int, str | None]] = {
    **{ord(character): None for character in _DROPPED},
    **{ord(character): " " for character in _SPACES},
}
_TO_ONE_LINE: Final = str.maketrans("\n\t", "  ")
_LINE_END: Final = re.compile(r"\r\n?")
_DIRECTION_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ACCEPTED: Final = frozenset(f"\r\n\t{_DROPPED}{_JOINERS}")
_KINDS: Final[Mapping[str, str]] = {
    "Cc": "a control character",
    "Cf": "an invisible format character",
    "Cs": "half of a surrogate pair",
    "Co": "a private use character",
    "Cn": "an unassigned character",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}


@dataclass(frozen=True)
class TextRule:
    """Normalises a text and checks its length in characters; a field of one line has spaces instead of line feeds."""

    max_length: int
    min_length: int = 1
    has_lines: bool = False

    def __call__(self, value: object) -> str:
        text = normalise_text(value, max_length=self.max_length, has_lines=self.has_lines)
        if len(text) > self.max_length:
            raise ValueError(_describe_excess(self.max_length))
        if len(text) < self.min_length:
            raise ValueError(_describe_shortage(text, self.min_length))
        return text


@dataclass(frozen=True)
class CodeRule:
    """Normalises a code, such as a framework's key, and checks its form; `form` describes the form in words."""

    pattern: str
    form: str
    max_length: int
    case: Literal["kept", "upper"] = "kept"

    def __call__(self, value: object) -> str:
        text = normalise_text(value, max_length=self.max_length)
        code = text.upper() if self.case == "upper" else text
        if not re.fullmatch(self.pattern, code):
            message = f"must be {self.form}"
            raise ValueError(message)
        return code


@dataclass(frozen=True)
class ExactTextRule:
    """Keeps a text as it is, because it names something that others wrote, and refuses what no database can hold."""

    max_length: int

    def __call__(self, value: object) -> str:
        if not isinstance(value, str) or len(value) > self.max_length:
            raise ValueError(_describe_excess(self.max_length))
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            message = "has a control character (U+0000) or half of a surrogate pair; remove it"
            raise ValueError(message)
        return value


def normalise_text(value: object, *, max_length: int, has_lines: bool = False) -> str:
    """Returns the normalised text. Raises ValueError for anything but text, and for characters that are refused.

    A text of more than twice `max_length` is refused unread, because composing it can take quadratic time.
    """
    if not isinstance(value, str):
        message = "must be text in quotation marks"
        raise ValueError(message)  # noqa: TRY004  pydantic reports ValueError as a wrong field
    if len(value) > 2 * max_length:
        raise ValueError(_describe_excess(max_length))
    if value.isascii() and value.isprintable():
        return value.strip()
    _check_characters(value)
    text = _LINE_END.sub("\n", value).translate(_TRANSLATION)
    if not has_lines:
        text = text.translate(_TO_ONE_LINE)
    return unicodedata.normalize("NFC", text.strip(_TRIMMED))


def _check_characters(text: str) -> None:
    for position, character in enumerate(text, start=1):
        kind = None if character in _ACCEPTED else _name_refused_kind(character)
        if kind is not None:
            message = f"has {kind} (U+{ord(character):04X}) at position {position}; remove it"
            raise ValueError(message)


def _name_refused_kind(character: str) -> str | None:
    if character in _DIRECTION_CONTROLS:
        return "a text direction control"
    if "\U000e0000" <= character <= "\U000e007f":
        return "a tag character"
    return _KINDS.get(unicodedata.category(character))


def _describe_excess(max_length: int) -> str:
    return f"is longer than {max_length} characters; shorten it"


def _describe_shortage(text: str, min_length: int) -> str:
    return f"is shorter than {min_length} characters" if text else "is empty; fill it in or leave it out"
