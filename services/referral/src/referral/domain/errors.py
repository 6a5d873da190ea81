"""Errors of referral, as leaves of the common error tree.

NotFound
└── ReferralNotFound        no such referral, or another council's
Conflict
├── OpenReferralExists      the person has an open referral for this service
└── CareHasStarted          too late for a withdrawal; care has to be ended
RetryLater
├── FrameworksNotKnown      no framework of the council has been published (503)
└── PersonNotShown          the package is not placed with the calling provider, or not yet (404)
"""

from contracts.errors import Conflict, NotFound, RetryLater
from contracts.ids import ReferralId


class ReferralNotFound(NotFound):
    title = "No such referral"

    def __init__(self) -> None:
        super().__init__("your council has no referral with this id; GET /v1/referrals lists your council's referrals")


class OpenReferralExists(Conflict):
    title = "This person has an open referral for this service"

    def __init__(self, open_referral: ReferralId) -> None:
        super().__init__(
            f"referral {open_referral} is open for this person and service; withdraw it first, or give the reason for "
            "another referral in despite_open_referral"
        )


class CareHasStarted(Conflict):
    title = "Care has started"

    def __init__(self) -> None:
        super().__init__("care has started; end the care instead of withdrawing the package")


class FrameworksNotKnown(RetryLater):
    title = "Your council's frameworks are not known yet"

    def __init__(self) -> None:
        super().__init__(
            "no framework of your council has been published yet; send the request again shortly", retry_after=5
        )


class PersonNotShown(RetryLater):
    """Raised for every caller who may not see the person; all cases have the same text, which reveals nothing."""

    title = "No such package for you"
    status = 404

    def __init__(self) -> None:
        super().__init__(
            "no package with this id is placed with you; straight after a placement, send the request again",
            retry_after=1,
        )
