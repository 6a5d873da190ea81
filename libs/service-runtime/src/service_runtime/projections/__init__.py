"""Projections: tables kept from other services' events."""
