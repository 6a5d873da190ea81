"""Measurements of Call-off from outside, over HTTP and Kafka, with the load of the machine."""
