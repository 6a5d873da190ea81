"""Routes of audit, one module a concept."""
