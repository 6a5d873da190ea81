"""Parses the two forms of an offer's page, accept and decline, and names mistakes in them.

The standard library parses the two fields. A form dependency of FastAPI would consume the body from which the
request's fingerprint is computed, and would refuse mistakes with problem+json.
"""

from collections.abc import Collection
from typing import Final
from urllib.parse import parse_qs

from contracts.events.offers import OfferAnswer
from contracts.ids import ReasonKey
from sourcing.api.offer_pages import FormMistake
from sourcing.domain.offer import Accept, Decline, ProviderAnswer

MAX_FORM_BYTES: Final = 1_000
"""The longest form that the page can send has less than a tenth of this."""
MAX_FIELDS: Final = 10

WRONG_FORM: Final = FormMistake("What was sent is not one of the two forms on this page. Use one of them.", "accept")
NO_ANSWER: Final = FormMistake("Choose whether you accept or decline the package.", "accept")
NO_REASON: Final = FormMistake("Choose the reason for which you decline.", "reason")
UNKNOWN_REASON: Final = FormMistake("Choose one of the reasons on the list.", "reason")
BOTH: Final = FormMistake("Either accept, or decline with one reason; what was sent said both.", "accept")

FORM: Final = {
    "type": "object",
    "required": ["answer"],
    "properties": {
        "answer": {"type": "string", "enum": list(OfferAnswer)},
        "reason": {
            "type": "string",
            "description": "needed when the answer is decline; one of the framework's reasons",
        },
    },
}


def parse_answer_form(form: bytes, known_reasons: Collection[ReasonKey]) -> ProviderAnswer | FormMistake:
    """Parse one of the page's two forms into the answer, or into the mistake to show."""
    fields = _parse_fields(form)
    if fields is None:
        return WRONG_FORM
    answers, reasons = fields.get("answer", []), fields.get("reason", [])
    if answers == [OfferAnswer.ACCEPT] and not reasons:
        return Accept()
    if answers == [OfferAnswer.DECLINE] and len(reasons) == 1 and reasons[0] in known_reasons:
        return Decline(ReasonKey(reasons[0]))
    return _find_mistake(answers, reasons)


def _parse_fields(form: bytes) -> dict[str, list[str]] | None:
    """Parse the form's fields without empty ones; None for a body that the page cannot have sent."""
    try:
        return parse_qs(form.decode("ascii"), max_num_fields=MAX_FIELDS) if len(form) <= MAX_FORM_BYTES else None
    except ValueError:
        return None


def _find_mistake(answers: list[str], reasons: list[str]) -> FormMistake:
    if not answers:
        return NO_ANSWER
    if answers == [OfferAnswer.DECLINE] and len(reasons) <= 1:
        return UNKNOWN_REASON if reasons else NO_REASON
    return BOTH if {*answers} <= {*OfferAnswer} else WRONG_FORM
