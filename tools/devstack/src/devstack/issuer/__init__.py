"""The stack's own identity provider: on the loopback address only, with keys of its own, for clients it knows."""
