"""Time that is moved, not waited for: a driver sets one clock for all services and simulated people of a stack."""
