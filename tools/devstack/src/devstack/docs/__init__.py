"""Pages generated from the code: OpenAPI and the list of events."""
