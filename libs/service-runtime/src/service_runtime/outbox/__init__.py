"""The outbox: journalled events that wait for Kafka, and the relay that sends them in order."""
