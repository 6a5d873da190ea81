"""Text that a spreadsheet could take for a formula is neutral: it shows as text and computes nothing.

In a workbook a cell has a type, and text is written as text. A CSV has no types: an apostrophe stands before text that
begins with one of `= + - @`, a tab or a carriage return (OWASP, CSV injection).
"""

from typing import Final

_RISKY: Final = ("=", "+", "-", "@", "\t", "\r")
_QUOTE: Final = "'"


def neutralise(text: str) -> str:
    """Returns the text with an apostrophe in front where a spreadsheet could take it for a formula.

    Full-width forms count too, because some spreadsheets read them as the plain ones; so do blanks in front.
    """
    return f"{_QUOTE}{text}" if _is_risky(text) else text


def strip_quote(text: str) -> str:
    """Returns the text as it was before `neutralise`."""
    return text[1:] if text.startswith(_QUOTE) and _is_risky(text[1:]) else text


def _is_risky(text: str) -> bool:
    return text.startswith(_RISKY) or text.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
