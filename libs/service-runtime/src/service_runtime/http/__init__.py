"""The HTTP edge of a service: who may call, what goes wrong, how a command is answered once."""
