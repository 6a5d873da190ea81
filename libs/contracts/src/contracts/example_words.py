"""Words of the invented framework that examples and tests use."""

from typing import Final

from contracts.ids import CriterionKey, LotKey, NeedKey, ReasonKey, RouteKey, ServiceTypeKey, TierKey, UnitKey

LOT: Final = LotKey("home-care")


class Tiers:
    ONE: Final = TierKey("tier-1")
    TWO: Final = TierKey("tier-2")
    ALL: Final = (ONE, TWO)


class ServiceTypes:
    PERSONAL_CARE: Final = ServiceTypeKey("personal-care")
    CARERS_SUPPORT: Final = ServiceTypeKey("carers-support")
    CARERS_BREAK: Final = ServiceTypeKey("carers-break")
    NIGHT_AWAKE: Final = ServiceTypeKey("night-awake")
    NIGHT_SLEEP: Final = ServiceTypeKey("night-sleep")
    LIVE_IN: Final = ServiceTypeKey("live-in")
    ALL: Final = (PERSONAL_CARE, CARERS_SUPPORT, CARERS_BREAK, NIGHT_AWAKE, NIGHT_SLEEP, LIVE_IN)


class Units:
    HOUR: Final = UnitKey("hour")
    NIGHT: Final = UnitKey("night")
    WEEK: Final = UnitKey("week")
    EPISODE: Final = UnitKey("episode")


class Routes:
    COMMUNITY: Final = RouteKey("community")
    HOSPITAL_DISCHARGE: Final = RouteKey("hospital-discharge")
    CRISIS: Final = RouteKey("crisis")


class Needs:
    DEMENTIA: Final = NeedKey("dementia")
    HOIST: Final = NeedKey("hoist")
    PEG_FEEDING: Final = NeedKey("peg-feeding")
    PETS_IN_HOME: Final = NeedKey("pets-in-home")
    SMOKER_IN_HOME: Final = NeedKey("smoker-in-home")
    KEY_SAFE: Final = NeedKey("key-safe")
    SKILLS: Final = (DEMENTIA, HOIST, PEG_FEEDING)
    CIRCUMSTANCES: Final = (PETS_IN_HOME, SMOKER_IN_HOME, KEY_SAFE)


class DeclineReasons:
    NO_CAPACITY: Final = ReasonKey("no-capacity")
    NO_CAPACITY_AT_THESE_TIMES: Final = ReasonKey("no-capacity-at-these-times")
    TOO_FAR: Final = ReasonKey("too-far")
    SKILLS_NOT_AVAILABLE: Final = ReasonKey("skills-not-available")
    CANNOT_START_IN_TIME: Final = ReasonKey("cannot-start-in-time")
    RATE_NOT_VIABLE: Final = ReasonKey("rate-not-viable")
    RISK: Final = ReasonKey("risk")
    OTHER: Final = ReasonKey("other")
    ALL: Final = (
        NO_CAPACITY,
        NO_CAPACITY_AT_THESE_TIMES,
        TOO_FAR,
        SKILLS_NOT_AVAILABLE,
        CANNOT_START_IN_TIME,
        RATE_NOT_VIABLE,
        RISK,
        OTHER,
    )


class WithdrawalReasons:
    NO_LONGER_NEEDED: Final = ReasonKey("no-longer-needed")
    PERSON_DIED: Final = ReasonKey("person-died")
    ADMITTED_TO_HOSPITAL: Final = ReasonKey("admitted-to-hospital")
    FAMILY_WILL_CARE: Final = ReasonKey("family-will-care")
    MOVED_AWAY: Final = ReasonKey("moved-away")
    SOURCED_ELSEWHERE: Final = ReasonKey("sourced-elsewhere")
    ENTERED_IN_ERROR: Final = ReasonKey("entered-in-error")
    ALL: Final = (
        NO_LONGER_NEEDED,
        PERSON_DIED,
        ADMITTED_TO_HOSPITAL,
        FAMILY_WILL_CARE,
        MOVED_AWAY,
        SOURCED_ELSEWHERE,
        ENTERED_IN_ERROR,
    )


class PriceRefusals:
    TOO_HIGH: Final = ReasonKey("too-high")
    CHEAPER_PROPOSAL: Final = ReasonKey("cheaper-proposal")
    WAIT_FOR_OTHERS: Final = ReasonKey("wait-for-others")
    ALL: Final = (TOO_HIGH, CHEAPER_PROPOSAL, WAIT_FOR_OTHERS)


class InadequateReasons:
    NO_OTHER_PROPOSAL: Final = ReasonKey("no-other-proposal")
    CONTINUITY: Final = ReasonKey("continuity")
    SAFEGUARDS_AGREED: Final = ReasonKey("safeguards-agreed")
    ALL: Final = (NO_OTHER_PROPOSAL, CONTINUITY, SAFEGUARDS_AGREED)


class OfficerReasons:
    """Why officers step into a search."""

    WAITS_FOR_INFORMATION: Final = ReasonKey("waits-for-information")
    PERSONS_CHOICE: Final = ReasonKey("persons-choice")
    KNOWN_NOT_TO_HAVE_CAPACITY: Final = ReasonKey("known-not-to-have-capacity")
    AGREED_BY_TELEPHONE: Final = ReasonKey("agreed-by-telephone")
    PROVIDER_GAVE_BACK: Final = ReasonKey("provider-gave-back")
    SEARCH_AGAIN: Final = ReasonKey("search-again")
    PRICE_NOT_JUSTIFIED: Final = ReasonKey("price-not-justified")
    ENTERED_IN_ERROR: Final = ReasonKey("entered-in-error")
    OTHER: Final = ReasonKey("other")
    ALL: Final = (
        WAITS_FOR_INFORMATION,
        PERSONS_CHOICE,
        KNOWN_NOT_TO_HAVE_CAPACITY,
        AGREED_BY_TELEPHONE,
        PROVIDER_GAVE_BACK,
        SEARCH_AGAIN,
        PRICE_NOT_JUSTIFIED,
        ENTERED_IN_ERROR,
        OTHER,
    )


class ScoreReasons:
    FULLY_MET: Final = ReasonKey("fully-met")
    PARTLY_MET: Final = ReasonKey("partly-met")
    NOT_MET: Final = ReasonKey("not-met")
    ALL: Final = (FULLY_MET, PARTLY_MET, NOT_MET)


class OverruleReasons:
    CONTINUITY: Final = ReasonKey("continuity-of-care")
    CANNOT_START: Final = ReasonKey("winner-cannot-start")
    ALL: Final = (CONTINUITY, CANNOT_START)


class CompetitionEndReasons:
    NEED_CHANGED: Final = ReasonKey("need-changed")
    WRONG_CRITERIA: Final = ReasonKey("wrong-criteria")
    ALL: Final = (NEED_CHANGED, WRONG_CRITERIA)


class Criteria:
    CONTINUITY: Final = CriterionKey("continuity-of-carers")
    SKILLS: Final = CriterionKey("skills-of-the-team")
    ALL: Final = (CONTINUITY, SKILLS)


class Variations:
    OTHER_TIMES: Final = ReasonKey("other-times")
    FEWER_LONGER_VISITS: Final = ReasonKey("fewer-longer-visits")
    SHARED: Final = ReasonKey("shared")
    LATER_START: Final = ReasonKey("later-start")
    ALL: Final = (OTHER_TIMES, FEWER_LONGER_VISITS, SHARED, LATER_START)
