"""The identity provider of the stack: on the loopback address only, for a fixed set of clients."""
