"""Outbox: events of the journal that Kafka has not acknowledged, and the relay that sends them in order."""
