"""The part of an offer that a provider sees."""

from dataclasses import dataclass
from decimal import Decimal

from contracts.values import Care, Terms


@dataclass(frozen=True)
class OfferSummary:
    """Care, hours and price of an offer; an offer's webhook has these fields too."""

    care: Care
    weekly_hours: Decimal
    terms: Terms
