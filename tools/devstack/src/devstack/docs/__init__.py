"""Generators of documentation: OpenAPI pages and the list of events."""
