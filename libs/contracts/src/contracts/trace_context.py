"""Trace context: the W3C text `traceparent` that events carry; text of another form is dropped."""

import re
from typing import Final

TRACEPARENT: Final = re.compile("[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


def keep_valid_traceparent(value: object) -> str:
    """Returns a traceparent as text, or an empty string for anything else, so that it never decides about an event."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else value
    return text if isinstance(text, str) and TRACEPARENT.fullmatch(text) else ""
