"""Sourcing's HTTP API, one module for each resource."""
