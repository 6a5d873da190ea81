"""Call-off measured from outside, over HTTP and Kafka: the figures of the design, under a stated load."""
