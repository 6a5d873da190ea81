"""The events, one module for each subject; `contracts.catalogue` is the table of all."""
