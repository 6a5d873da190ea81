"""`calloff up`: the embedded stack with invented providers, a council and an officer at work."""
