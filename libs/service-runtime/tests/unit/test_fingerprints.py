"""Fingerprints tell two requests apart and keep nothing of what they said."""

from service_runtime.idempotency import fingerprint

KEY = b"k" * 32


def test_the_same_parts_give_the_same_fingerprint() -> None:
    assert fingerprint(KEY, b"POST", b"/v1/x", b"{}") == fingerprint(KEY, b"POST", b"/v1/x", b"{}")


def test_each_part_counts_and_so_does_where_it_ends() -> None:
    prints = {
        fingerprint(KEY, b"POST", b"/v1/x", b"{}"),
        fingerprint(KEY, b"PUT", b"/v1/x", b"{}"),
        fingerprint(KEY, b"POST", b"/v1/x", b"{ }"),
        fingerprint(KEY, b"POST/", b"v1/x", b"{}"),
        fingerprint(b"o" * 32, b"POST", b"/v1/x", b"{}"),
    }
    assert len(prints) == 5


def test_what_was_submitted_is_not_in_it() -> None:
    assert "Test Person" not in fingerprint(KEY, b"Test Person")
    assert len(fingerprint(KEY, b"Test Person" * 1000)) == 64
