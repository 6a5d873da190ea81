"""Councils, providers, officers and adults, all invented and all from a seed: the same seed tells the same story."""

from typing import Final

SEED: Final = 2025
"""Of the stack that `calloff up` starts."""
