"""The simulated clock: who takes part, and the driver that moves it."""
