"""The embedded stack: PostgreSQL, Kafka, services, token issuer and telemetry receiver, without containers."""
