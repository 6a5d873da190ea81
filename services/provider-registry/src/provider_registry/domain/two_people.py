"""Decisions that need two people: one requests, another one approves."""


def is_same_person(actor: str, other: str) -> bool:
    """Compares actors without their kind: one person can use tokens of several kinds."""
    return actor.partition(":")[2] == other.partition(":")[2]
