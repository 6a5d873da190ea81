"""`calloff demo`: five simulated days of brokerage, judged at the end."""
