"""A demonstration: some days of brokerage on a simulated clock, in which everything happens that can, and is judged."""
