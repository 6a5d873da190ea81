"""What happens before a service serves: its settings are read, and what it depends on is checked."""
