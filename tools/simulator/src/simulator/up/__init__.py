"""`calloff up`: the embedded stack with simulated providers, a council and officers."""
