"""The simulated clock: its driver and the participants of a simulation."""
