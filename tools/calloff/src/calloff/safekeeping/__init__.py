"""Copies of a stack, and how one is taken up again: `calloff backup` and `calloff restore`."""
