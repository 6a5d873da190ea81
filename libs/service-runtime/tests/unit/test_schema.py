"""Schema: scripts are split into statements."""

from service_runtime.postgres.schema import TABLES, split_statements


def test_a_dollar_quoted_body_is_not_split() -> None:
    script = "CREATE TABLE a (b int);\n\nCREATE FUNCTION f() AS $$\nBEGIN\n  RETURN;\nEND $$;\nDROP TABLE a;"
    assert [statement.split()[1] for statement in split_statements(script)] == ["TABLE", "FUNCTION", "TABLE"]


def test_every_statement_is_returned_once_and_whole() -> None:
    statements = split_statements(TABLES)
    assert all(statement.rstrip().endswith(";") for statement in statements)
    assert "\n".join(statements).split() == TABLES.split()
