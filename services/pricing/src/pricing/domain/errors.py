"""Errors of pricing, as leaves of the common error tree.

NotFound
├── FrameworkNotFound       unknown framework or version, or another council's
├── RatesNotFound           no selection in this scope, or another provider's
├── OrdersNotFound          no order for the package, or another council's or provider's
└── AwardNotFound           unknown award, or another council's
Conflict
├── SameOfficer             the officer who awarded decides about the price
├── DecidedOtherwise        another officer already decided otherwise
└── AwardLapsedAlready      the award lapsed before the decision
Unprocessable
└── TermsContradictThemselves   a placement's weekly cost differs from quantity × rate
"""

from contracts.errors import Conflict, NotFound, Unprocessable


class FrameworkNotFound(NotFound):
    title = "No such framework"

    def __init__(self) -> None:
        super().__init__(
            "your council has no such framework or version; list the matrices to find the published versions"
        )


class RatesNotFound(NotFound):
    title = "No such rates"

    def __init__(self) -> None:
        super().__init__("no rates that you may see are selected there; list the rates to find selections")


class OrdersNotFound(NotFound):
    title = "No purchase order"

    def __init__(self) -> None:
        super().__init__("the package has no purchase order that you may see; retry if it was just placed")


class AwardNotFound(NotFound):
    title = "No such award"

    def __init__(self) -> None:
        super().__init__("your council has no such award above a ceiling; list the spot prices to find its awards")


class SameOfficer(Conflict):
    title = "Second officer required"

    def __init__(self) -> None:
        super().__init__("the officer who awarded the package cannot decide about its price; ask another officer")


class DecidedOtherwise(Conflict):
    title = "Price already decided"

    def __init__(self, decision: str) -> None:
        super().__init__(
            f"the price is already {decision}; your decision is recorded; award the package again to get a new decision"
        )


class AwardLapsedAlready(Conflict):
    title = "Award lapsed"

    def __init__(self, because: str) -> None:
        super().__init__(
            f"the award has lapsed ({because}); your decision is recorded; check whether the package is still open"
        )


class TermsContradictThemselves(Unprocessable):
    title = "Inconsistent terms"
