"""Sourcing's tables, and how searches get into and out of them.

SQL stands next to the tables it works on. A search is one row with its stage, its offers are rows of their own, so that
the database itself refuses a second live offer and a second standing placement of one package.
"""

from typing import Final

from sourcing.store import offers, placements, searches

TABLES: Final = searches.TABLES + offers.TABLES + placements.TABLES
