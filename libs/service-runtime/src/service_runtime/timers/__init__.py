"""Timers: rows that are due at an instant, and the worker that fires them."""
