"""The runtime's tables, statement by statement."""

from service_runtime.outbox.journal import decode_headers, encode_headers
from service_runtime.postgres.schema import TABLES, split_statements


def test_a_body_between_dollars_stays_whole() -> None:
    script = "CREATE TABLE a (b int);\n\nCREATE FUNCTION f() AS $$\nBEGIN\n  RETURN;\nEND $$;\nDROP TABLE a;"
    assert [one.split()[1] for one in split_statements(script)] == ["TABLE", "FUNCTION", "TABLE"]


def test_every_statement_is_returned_once_and_whole() -> None:
    found = split_statements(TABLES)
    assert all(statement.rstrip().endswith(";") for statement in found)
    assert "\n".join(found).split() == TABLES.split()


def test_headers_survive_the_journal_byte_for_byte() -> None:
    headers = [("ce_id", b"1"), ("ce_actor", "officer:ü".encode())]
    assert decode_headers(encode_headers(headers)) == headers
