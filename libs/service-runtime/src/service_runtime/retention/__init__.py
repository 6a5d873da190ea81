"""Retention of what only grows: stored responses expire, months of the journal move into archive files."""
