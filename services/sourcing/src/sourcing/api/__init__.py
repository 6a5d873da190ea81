"""Sourcing over HTTP, one module for what each kind of caller is about."""
