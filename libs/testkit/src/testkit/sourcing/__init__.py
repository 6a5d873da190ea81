"""Builders, fakes and scenarios for sourcing's tests."""
