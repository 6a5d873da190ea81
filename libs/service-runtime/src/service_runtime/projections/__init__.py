"""Projections: tables built from other services' events."""
