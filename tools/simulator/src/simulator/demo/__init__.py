"""`calloff demo`: eight simulated days of brokerage, judged at the end."""
