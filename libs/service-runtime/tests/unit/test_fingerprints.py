"""Fingerprints tell two requests apart and keep nothing of what they said."""

from service_runtime.idempotency import compute_fingerprint

KEY = b"k" * 32


def test_the_same_parts_give_the_same_fingerprint() -> None:
    assert compute_fingerprint(KEY, b"POST", b"/v1/x", b"{}") == compute_fingerprint(KEY, b"POST", b"/v1/x", b"{}")


def test_each_part_counts_and_so_does_where_it_ends() -> None:
    prints = {
        compute_fingerprint(KEY, b"POST", b"/v1/x", b"{}"),
        compute_fingerprint(KEY, b"PUT", b"/v1/x", b"{}"),
        compute_fingerprint(KEY, b"POST", b"/v1/x", b"{ }"),
        compute_fingerprint(KEY, b"POST/", b"v1/x", b"{}"),
        compute_fingerprint(b"o" * 32, b"POST", b"/v1/x", b"{}"),
    }
    assert len(prints) == 5


def test_what_was_submitted_is_not_in_it() -> None:
    assert "Test Person" not in compute_fingerprint(KEY, b"Test Person")
    assert len(compute_fingerprint(KEY, b"Test Person" * 1000)) == 64
