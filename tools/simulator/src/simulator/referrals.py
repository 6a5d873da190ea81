"""The referrals of one simulated council: in which lot and area an adult needs care, and which care."""

from datetime import date, timedelta
from random import Random
from uuid import UUID

from contracts.example_words import Needs
from contracts.ids import AreaCode
from contracts.values import Visit, Weekday
from devstack.councils import DEFAULT_COUNCIL
from simulator.council import URGENT_SHARE, ReferralIn, build_person, build_referral, draw_visits
from simulator.councils import REFERRED_LOTS, FollowUp, ReferredLot
from simulator.definitions import list_served_areas, load_definition
from simulator.person_factory import Person, PersonFactory

_NIGHT_MINUTES, _WEEK_MINUTES = 540, 10_080


class CouncilReferrals:
    """Creates the adults and the referrals of one council. The default council's postcodes alone tell the area."""

    def __init__(self, council: str, people: PersonFactory, *, seed: int) -> None:
        self.council = council
        self._people = people
        self.seed = seed

    def create_person(self, number: int, *, area: str | None = None) -> Person:
        """Create the adult with this number, in `area` or in an area of a lot that is drawn."""
        if area is None and self.council != DEFAULT_COUNCIL:
            area = self._draw_area(Random(f"{self.seed}/{self.council}/area/{number}"))
        return self._people.create_person(number, area=area)

    def _draw_area(self, chance: Random) -> str:
        definition, lots = load_definition(self.council), REFERRED_LOTS[self.council]
        drawn = chance.choices(lots, [each.share for each in lots])[0]
        lot = definition.find_lot(drawn.lot)
        return chance.choice(
            [each.code for each in list_served_areas(definition) if lot is not None and lot.has_area(each.code)]
        )

    def build_referral(self, person: Person, *, today: date, seed: int, urgent: bool | None = None) -> ReferralIn:
        """Build the referral of this adult. Unless `urgent` is given, most referrals are urgent."""
        if self.council == DEFAULT_COUNCIL:
            return build_referral(person, today=today, seed=seed, urgent=urgent)
        chance = Random(f"{seed}/{self.council}/referral/{person.number}")
        is_urgent = chance.random() < URGENT_SHARE if urgent is None else urgent
        referred = self._find_lot(person.area)
        service_type = chance.choices(list(referred.service_types), list(referred.service_types.values()))[0]
        return ReferralIn(
            reference=f"TEST-{person.number:06}",
            person=build_person(person),
            service_type=service_type,
            visits=draw_visits_of(service_type, chance),
            starts_on=today + timedelta(days=chance.randint(1, 5)),
            route=referred.urgent_route if is_urgent else referred.routine_route,
            needs=tuple(chance.sample(list(Needs.SKILLS), chance.randint(0, 3))),
            lot=referred.lot,
            area=person.area,
        )

    def build_follow_up(
        self, person: Person, earlier: ReferralIn, package_id: UUID, *, today: date
    ) -> ReferralIn | None:
        """Build the referral of the care that follows a placed package; None if nothing follows it.

        The care is given to the same person, in an area of the other lot that lies in the same district.
        """
        follow_up = self._find_follow_up(person.area)
        if follow_up is None or follow_up.follows != earlier.service_type:
            return None
        chance = Random(f"{self.seed}/{self.council}/follow-up/{person.number}")
        return earlier.model_copy(
            update={
                "reference": f"{earlier.reference}-follow-up",
                "service_type": follow_up.service_type,
                "visits": draw_visits_of(follow_up.service_type, chance),
                "starts_on": today + timedelta(days=chance.randint(10, 20)),
                "route": follow_up.route,
                "lot": follow_up.lot,
                "area": chance.choice(self._list_areas_nearby(follow_up, person.area)),
                "follows_package": package_id,
            }
        )

    def _find_follow_up(self, area: str) -> FollowUp | None:
        return None if self.council == DEFAULT_COUNCIL else self._find_lot(area).follow_up

    def _list_areas_nearby(self, follow_up: FollowUp, area: str) -> list[str]:
        """List the areas of the lot that lie in the same district as `area`, which is a district."""
        definition = load_definition(self.council)
        lot = definition.find_lot(follow_up.lot)
        served = [each for each in list_served_areas(definition) if lot is not None and lot.has_area(each.code)]
        return [each.code for each in served if each.covers_district(AreaCode(area))]

    def _find_lot(self, area: str) -> ReferredLot:
        definition = load_definition(self.council)
        lots = {lot.lot for lot in definition.lots if lot.has_area(AreaCode(area))}
        return next(each for each in REFERRED_LOTS[self.council] if each.lot in lots)


def draw_visits_of(service_type: str, chance: Random) -> tuple[Visit, ...]:
    """Draw the visits of a week: one for live-in care, one a night, or some each day."""
    if service_type.startswith("live-in"):
        return (_build_visit((Weekday.MON,), "00:00", "23:59", _WEEK_MINUTES),)
    if service_type.endswith("-night"):
        return (_build_visit(tuple(Weekday), "21:00", "22:00", _NIGHT_MINUTES),)
    return draw_visits(chance)


def _build_visit(days: tuple[Weekday, ...], earliest: str, latest: str, minutes: int) -> Visit:
    return Visit.model_validate({"days": days, "earliest": earliest, "latest": latest, "minutes": minutes})
