"""Builders and fakes for the provider registry's tests."""
