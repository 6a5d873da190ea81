"""PostgreSQL: connections, statements, the tables of the runtime and migrations."""
