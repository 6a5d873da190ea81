"""The unit of work: one transaction that locks a stream, loads, decides, saves and publishes."""
