"""Simulated councils, providers, officers and adults. The same seed gives the same behaviour."""

from typing import Final

SEED: Final = 2025
"""The seed of the stack that `calloff up` starts."""
