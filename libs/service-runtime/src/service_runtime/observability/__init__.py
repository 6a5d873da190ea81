"""What operations see of a service: structured logs, traces, metrics, health."""
