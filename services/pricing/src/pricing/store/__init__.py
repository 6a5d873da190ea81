"""Pricing's PostgreSQL repositories and tables.

Constraints reject a second order of a placement, a second active order of a package, a second decision about an award,
and a decision by the officer who awarded.
"""

from typing import Final

from pricing.store import orders, rates, spot_prices

TABLES: Final = rates.TABLES + orders.TABLES + spot_prices.TABLES
