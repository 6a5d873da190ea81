"""Domain rules of pricing: pure functions that take time, ids and numbers as arguments."""
