"""The runtime's tables, statement by statement."""

from service_runtime.postgres import schema
from service_runtime.postgres.schema import TABLES, statements
from service_runtime.unit_of_work.streams import decode_headers, encode_headers


def test_a_body_between_dollars_stays_whole() -> None:
    script = "CREATE TABLE a (b int);\n\nCREATE FUNCTION f() AS $$\nBEGIN\n  RETURN;\nEND $$;\nDROP TABLE a;"
    assert [one.split()[1] for one in statements(script)] == ["TABLE", "FUNCTION", "TABLE"]


def test_every_statement_is_handed_out_once_and_whole() -> None:
    executed: list[str] = []
    schema.create(executed.append)
    assert executed == statements(TABLES)
    assert all(one.rstrip().endswith(";") for one in executed)
    assert "\n".join(executed).split() == TABLES.split()


def test_headers_survive_the_journal_byte_for_byte() -> None:
    headers = [("ce_id", b"1"), ("ce_actor", "officer:ü".encode())]
    assert decode_headers(encode_headers(headers)) == headers
