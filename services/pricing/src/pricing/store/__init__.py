"""Pricing's tables, and how selections, orders and spot prices get into and out of them.

SQL stands next to the tables it works on. The database itself refuses a second order of a placement, a second standing
order of a package, a second decision about an award, and one that the awarding officer takes.
"""

from typing import Final

from pricing.store import orders, rates, spot_prices

TABLES: Final = rates.TABLES + orders.TABLES + spot_prices.TABLES
