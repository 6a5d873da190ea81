"""What the rules of the money refuse, as leaves of the one error tree.

NotFound
├── FrameworkNotFound       no such framework, version of it, or another council's
├── RatesNotFound           nothing selected there, or another provider's
├── OrdersNotFound          nothing was ordered for the package, or for another council or provider
└── AwardNotFound           no such award, or another council's
Conflict
├── SameOfficer             who awarded cannot also approve
├── DecidedOtherwise        another second officer was faster, and thought otherwise
└── AwardLapsedAlready      the award waits for nobody any more
Unprocessable
└── TermsContradictThemselves   a placement's weekly cost is not what its quantity and rate come to
"""

from contracts.errors import Conflict, NotFound, Unprocessable


class FrameworkNotFound(NotFound):
    title = "No such framework"

    def __init__(self) -> None:
        super().__init__(
            "your council has no such framework, or not this version of it; list the matrices to see which there are"
        )


class RatesNotFound(NotFound):
    title = "No such rates"

    def __init__(self) -> None:
        super().__init__("no rates that you may see are selected there; list the rates to see which there are")


class OrdersNotFound(NotFound):
    title = "No purchase order"

    def __init__(self) -> None:
        super().__init__("nothing that you may see was ordered for this package; straight after a placement ask again")


class AwardNotFound(NotFound):
    title = "No such award"

    def __init__(self) -> None:
        super().__init__("your council has no such award above a ceiling; list the spot prices to see which there are")


class SameOfficer(Conflict):
    title = "It takes a second officer"

    def __init__(self) -> None:
        super().__init__("who awarded the package cannot decide about its price, too; ask another officer")


class DecidedOtherwise(Conflict):
    title = "The price was decided otherwise"

    def __init__(self, stands: str) -> None:
        super().__init__(
            f"another decision stands, {stands}; yours is on record; award the package anew to have it decided anew"
        )


class AwardLapsedAlready(Conflict):
    title = "The award has lapsed"

    def __init__(self, because: str) -> None:
        super().__init__(
            f"nothing is left to decide, {because}; your decision is on record; see whether the package is still open"
        )


class TermsContradictThemselves(Unprocessable):
    title = "The terms of a placement do not add up"
