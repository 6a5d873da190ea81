"""Errors of a returned file as a whole; what is wrong with one row stops no other row and is told in the row.

Unprocessable
└── ReturnRefused          the file is not read; nothing in it counts
    ├── ReturnTooLarge     more bytes, rows or cells than a list can have, or compressed to hide that
    ├── NotAList           neither a workbook nor a CSV, or without the columns of a list
    ├── ReturnDamaged      a workbook that cannot be read
    ├── ActiveContent      macros, embedded objects, or links to other files and programs
    └── PasswordProtected  encrypted
"""

from contracts.errors import Unprocessable


class ReturnRefused(Unprocessable):
    """Messages say what to send instead and never repeat what was sent."""

    title = "The returned list cannot be read"


class ReturnTooLarge(ReturnRefused):
    title = "The returned list is too large"


class NotAList(ReturnRefused):
    title = "The returned file is not a list"


class ReturnDamaged(ReturnRefused):
    title = "The returned list is damaged"


class ActiveContent(ReturnRefused):
    title = "The returned list contains macros or links"


class PasswordProtected(ReturnRefused):
    title = "The returned list is protected by a password"
