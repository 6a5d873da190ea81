"""Timers: rows that fall due at an instant, and the timer worker that fires them."""
