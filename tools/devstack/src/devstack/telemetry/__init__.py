"""What the stack's own services tell by OTLP: received on the loopback address, kept for a while, drawn on demand."""
