"""The embedded stack: servers, services, token issuer and telemetry receiver on one machine, without containers."""
