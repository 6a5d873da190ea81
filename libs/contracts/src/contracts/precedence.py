"""Precedence: the order in which several things happen that fall due at one instant."""

from enum import IntEnum
from typing import Final


class Precedence(IntEnum):
    """The order of several things that fall due at one instant (DOMAIN, clocks: several things at one instant)."""

    EXPIRY = 1
    FACT = 2
    COUNCIL = 3
    DELIVERY = 4
    UNDELIVERABLE = 5
    ANSWER = 6
    AWARD = 7
    LIST_CLOSES = 8
    OPENING = 9
    LIST_GOES_OUT = 10
    LIST_SENT = 11
    """After all packages that are on the list have joined it."""


LAST_PRECEDENCE: Final = int(max(Precedence))
"""The precedence of what happens last at an instant."""
