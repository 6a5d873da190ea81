"""What every service stands on, in folders named for patterns; it knows no service and no domain word."""
