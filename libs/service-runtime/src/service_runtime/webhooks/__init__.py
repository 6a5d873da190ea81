"""Webhooks: signed, queued in the transaction of their cause, sent in order, and retried until they expire."""
