"""What the tests of the runtime and of every service are made with; nothing here runs in production."""
