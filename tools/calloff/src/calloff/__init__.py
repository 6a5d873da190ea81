"""The calloff command: embedded stack, simulator, operator's commands."""
