"""The record: every event, kept apart from those who made it; it verifies, and it explains."""
