"""A corpus of broken definitions: each is the small valid one of `testkit.definition_text` with a named edit."""
