"""Telemetry of the services: an OTLP receiver on the loopback address, an archive, and waterfalls of traces."""
