"""Comparison with other libraries: the same chain, written as their documentation suggests, on the same servers."""
