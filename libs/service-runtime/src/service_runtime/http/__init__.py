"""HTTP API of a service: authentication, problem details, idempotent commands, paging, preconditions, probes."""
