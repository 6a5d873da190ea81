"""What every test of the repository can ask for: a real PostgreSQL and Kafka, and RFC 9457's schema of a problem."""

pytest_plugins = ["testkit.servers", "testkit.problems"]
