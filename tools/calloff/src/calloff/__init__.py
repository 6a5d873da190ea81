"""The operator's command: a client of the services' APIs, telemetry queries, back-up and restore."""
