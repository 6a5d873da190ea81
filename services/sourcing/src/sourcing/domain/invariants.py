"""Check of what always holds for a value."""


def reject_if(broken: bool, why: str) -> None:  # noqa: FBT001 - reads as the sentence it is
    if broken:
        raise ValueError(why)
