"""What every service stands on; it knows no service and no domain word."""
