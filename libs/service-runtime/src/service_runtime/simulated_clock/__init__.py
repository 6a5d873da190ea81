"""The simulated clock of the embedded stack: a driver sets the time; absent in production."""
