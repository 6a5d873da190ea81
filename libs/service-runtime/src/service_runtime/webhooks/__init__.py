"""The webhook engine: signed deliveries, queued with their cause, sent in order, retried until they are of no use."""
