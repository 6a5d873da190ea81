"""The search: stages, offers, the award."""
