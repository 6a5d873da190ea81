"""Builders and fakes for pricing's tests."""
