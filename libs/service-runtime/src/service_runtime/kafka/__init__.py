"""Kafka: client, consumers, batches by key and the offsets that may be committed."""
