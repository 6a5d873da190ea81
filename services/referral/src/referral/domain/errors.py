"""What the rules of referrals refuse, as leaves of the one error tree.

NotFound
└── ReferralNotFound        no such referral, or another council's
Conflict
├── OpenReferralExists      the person has an open referral for this service
└── CareHasStarted          a withdrawal would come too late; it is an ending of care
RetryLater
├── FrameworksNotKnown      no framework of the council has been heard of (503)
└── PersonNotShown          the package is not placed with the one who asks, as far as we have heard (404)
"""

from contracts.errors import Conflict, NotFound, RetryLater
from contracts.ids import ReferralId


class ReferralNotFound(NotFound):
    title = "No such referral"

    def __init__(self) -> None:
        super().__init__("your council has no such referral; list your referrals to see which ones there are")


class OpenReferralExists(Conflict):
    title = "This person has an open referral for this service"

    def __init__(self, open_one: ReferralId) -> None:
        super().__init__(
            f"referral {open_one} is open for this person and service; withdraw it first, or say in "
            "despite_open_referral why there is to be another one"
        )


class CareHasStarted(Conflict):
    title = "Care has started"

    def __init__(self) -> None:
        super().__init__("care has started; this is an ending of care, not a withdrawal")


class FrameworksNotKnown(RetryLater):
    title = "Your council's frameworks are not known here yet"

    def __init__(self) -> None:
        super().__init__("no framework of your council has been published yet; send it again shortly", retry_after=5)


class PersonNotShown(RetryLater):
    """One answer to everybody who may not see the person, so that nothing can be learnt from it."""

    title = "No such package for you"
    status = 404

    def __init__(self) -> None:
        super().__init__(
            "no such package is placed with you; straight after a placement it takes a moment to be known here",
            retry_after=1,
        )
