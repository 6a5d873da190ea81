"""The registry over HTTP, one module a subject: frameworks, providers, their endpoints, the delivery log."""
