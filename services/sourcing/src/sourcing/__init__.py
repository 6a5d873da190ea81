"""Sourcing: the search that finds a provider for a package of care."""
