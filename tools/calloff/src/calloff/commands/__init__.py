"""What can be typed: one module a subject, one function a command."""
