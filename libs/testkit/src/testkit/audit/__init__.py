"""Builders and fakes for audit's tests."""
