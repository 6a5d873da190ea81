"""The subcommands of `calloff`: one module a subject, one function a subcommand."""
