"""The procedures of call-off, one module each: what a stage does when no offer of the package is live."""
