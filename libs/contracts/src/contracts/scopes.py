"""OAuth2 scopes that distinguish people from systems."""

from typing import Final

OFFICER_SCOPES: Final = frozenset({"sourcing:operate", "pricing:admin"})
"""Scopes that only people hold; a caller with neither is recorded as a system."""
