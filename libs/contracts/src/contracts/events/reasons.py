"""Reasons that sourcing itself gives in its events."""

from enum import StrEnum


class LateReason(StrEnum):
    """Why an answer is recorded but not used."""

    AFTER_THE_END = "the offer had ended when the answer came"
    ALREADY_ANSWERED = "the offer was already answered otherwise"
    WITHDRAWN = "the offer had been withdrawn"
    NO_LONGER_ELIGIBLE = "the provider may not be awarded this package any more"
    ANOTHER_CAME_FIRST = "another provider that accepted comes first"
    PLACED_OTHERWISE = "the package was placed otherwise"
    PLACEMENT_UNDONE = "the placement fell through, and the package is sourced again"


class ExtensionCause(StrEnum):
    """Why a live offer can be answered for longer than was stated first."""

    OUTAGE = "Call-off was down"
    PROCLAIMED_HOLIDAY = "a bank holiday was proclaimed"


class OfferEnd(StrEnum):
    """How an offer ends before the provider has decided, other than by expiry."""

    PACKAGE_WITHDRAWN = "the council withdrew the package"
    PROVIDER_NOT_ELIGIBLE = "the provider may not be awarded this package any more"
    PLACED_WITH_ANOTHER = "another provider that accepted comes first"
    PLACED_OTHERWISE = "the package was placed otherwise"


class ExhaustedReason(StrEnum):
    NO_STAGE_LEFT = "no stage left"


class StopReason(StrEnum):
    """Why a search ended without a placement."""

    WITHDRAWN = "withdrawn by the council"
