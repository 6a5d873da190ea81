"""The two forms of an offer's page, and what is told to whoever sends something else.

Two fields are read with the standard library: a form dependency would use up the body that a command's fingerprint is
made from, and would refuse with problem+json.
"""

from typing import Final
from urllib.parse import parse_qs

from contracts.events.packages import Answer
from contracts.values import DeclineReason
from sourcing.api.offer_pages import Mistake
from sourcing.domain.search import Accept, Decline, Reply

LARGEST_FORM: Final = 1_000
"""Bytes; the longest that a page of ours sends has not a tenth of it."""
MOST_FIELDS: Final = 10

WRONG_FORM: Final = Mistake("What was sent is not one of the two forms on this page. Use one of them.", "accept")
NO_ANSWER: Final = Mistake("Choose whether you accept or decline the package.", "accept")
NO_REASON: Final = Mistake("Choose the reason for which you decline.", "reason")
UNKNOWN_REASON: Final = Mistake("Choose one of the reasons on the list.", "reason")
BOTH: Final = Mistake("Either accept, or decline with one reason; what was sent said both.", "accept")

_REASONS: Final = {reason.value: reason for reason in DeclineReason}
FORM: Final = {
    "type": "object",
    "required": ["answer"],
    "properties": {
        "answer": {"type": "string", "enum": list(Answer)},
        "reason": {"type": "string", "enum": list(DeclineReason), "description": "needed when the answer is decline"},
    },
}


def reply_in(form: bytes) -> Reply | Mistake:
    """What one of the page's two forms says."""
    said = _fields(form)
    if said is None:
        return WRONG_FORM
    answers, reasons = said.get("answer", []), said.get("reason", [])
    if answers == [Answer.ACCEPT] and not reasons:
        return Accept()
    if answers == [Answer.DECLINE] and len(reasons) == 1 and reasons[0] in _REASONS:
        return Decline(_REASONS[reasons[0]])
    return _mistake(answers, reasons)


def _fields(form: bytes) -> dict[str, list[str]] | None:
    """Fields that are empty are left out; None for what no page of ours sends."""
    try:
        return parse_qs(form.decode("ascii"), max_num_fields=MOST_FIELDS) if len(form) <= LARGEST_FORM else None
    except ValueError:
        return None


def _mistake(answers: list[str], reasons: list[str]) -> Mistake:
    if not answers:
        return NO_ANSWER
    if answers == [Answer.DECLINE] and len(reasons) <= 1:
        return UNKNOWN_REASON if reasons else NO_REASON
    return BOTH if {*answers} <= {*Answer} else WRONG_FORM
