"""Sourcing's tables, and the repositories that save and load searches.

Each module has a table with its SQL. A search is one row with its stage; its offers, competitions and placements are
rows of their own, so that unique indexes refuse a second live offer and a second valid placement of one package.
"""

from typing import Final

from sourcing.store import competitions, lists, offers, placements, searches, work_items

TABLES: Final = (
    searches.TABLES + offers.TABLES + placements.TABLES + lists.TABLES + work_items.TABLES + competitions.TABLES
)
