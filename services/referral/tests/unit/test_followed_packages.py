"""A referral that follows an earlier package of the same person, such as long-term care after reablement."""

from dataclasses import dataclass, field

import pytest

from contracts.errors import InvalidInput
from contracts.events.packages import FollowedPackage, PackageRequested
from contracts.events.searches import PackagePlaced, PlacementVoided
from contracts.example_words import LOT, ServiceTypes, WithdrawalReasons
from contracts.examples import COUNCIL, a_definition, an_id
from contracts.ids import CouncilKey, FrameworkKey, PackageId
from referral.domain.intake import IntakeRules
from referral.domain.person import Person
from referral.handlers import (
    SubmitReferral,
    WithdrawReferral,
    finish_withdrawal,
    record_progress,
    submit_referral,
    withdraw_referral,
)
from testkit.referral.builders import KEYS, PACKAGE, a_person, a_request, build_event, to_provider_id
from testkit.referral.fakes import InMemoryReferralWork

ALDER = to_provider_id("Alder")
LATER = PackageId(an_id("later"))
NIGHT_SLEEP = ServiceTypes.NIGHT_SLEEP


@dataclass
class Council:
    """A council's referrals in memory."""

    work: InMemoryReferralWork = field(default_factory=lambda: InMemoryReferralWork().add_definitions())

    async def request_first_package(self) -> None:
        request = a_request(service_type=NIGHT_SLEEP)
        key = KEYS.compute_key(request.person, COUNCIL)
        await submit_referral(SubmitReferral(PACKAGE, COUNCIL, request, key, IntakeRules()), self.work)

    async def place_first_package(self) -> None:
        await self.request_first_package()
        placed = build_event(PackagePlaced, provider_id=ALDER)
        assert isinstance(placed, PackagePlaced)
        await record_progress(placed, self.work)

    async def follow(
        self, package_id: PackageId = PACKAGE, *, person: Person | None = None, council: CouncilKey = COUNCIL
    ) -> FollowedPackage | None:
        """Requests a later package that follows one, and returns what is published about that."""
        request = a_request(person=person or a_person(), follows_package=package_id)
        key = KEYS.compute_key(request.person, council)
        await submit_referral(SubmitReferral(LATER, council, request, key, IntakeRules()), self.work)
        event = self.work.published[-1]
        assert isinstance(event, PackageRequested)
        return event.follows

    async def refuse(
        self, package_id: PackageId = PACKAGE, *, person: Person | None = None, council: CouncilKey = COUNCIL
    ) -> str:
        """Returns the words with which the package is refused; nothing is published."""
        before = list(self.work.published)
        with pytest.raises(InvalidInput) as refused:
            await self.follow(package_id, person=person, council=council)
        (wrong,) = refused.value.fields
        assert (wrong.pointer, self.work.published) == ("#/follows_package", before)
        return wrong.detail


async def test_the_later_package_states_the_lot_and_the_provider_of_the_earlier_one() -> None:
    council = Council()
    await council.place_first_package()
    assert await council.follow() == FollowedPackage(package_id=PACKAGE, lot=LOT, provider_id=ALDER)


async def test_a_package_that_follows_none_states_none() -> None:
    council = Council()
    await council.request_first_package()
    (event,) = council.work.published
    assert isinstance(event, PackageRequested)
    assert event.follows is None


async def test_an_unknown_package_is_refused() -> None:
    council = Council()
    await council.place_first_package()
    assert "not a package of your council" in await council.refuse(PackageId(an_id("unknown")))


async def test_another_councils_package_is_refused_like_an_unknown_one() -> None:
    council, other = Council(), CouncilKey("another")
    council.work.add_definitions(a_definition(council=other, framework=FrameworkKey("another-framework")))
    await council.place_first_package()
    assert await council.refuse(council=other) == await council.refuse(PackageId(an_id("unknown")), council=other)


async def test_another_persons_package_is_refused() -> None:
    council = Council()
    await council.place_first_package()
    assert "another person" in await council.refuse(person=a_person(nhs_number="9990000026"))


async def test_a_package_that_is_not_placed_is_refused() -> None:
    council = Council()
    await council.request_first_package()
    assert "is not placed" in await council.refuse()


async def test_a_package_that_is_being_withdrawn_is_refused() -> None:
    council = Council()
    await council.place_first_package()
    await withdraw_referral(WithdrawReferral(PACKAGE, WithdrawalReasons.MOVED_AWAY), council.work)
    assert "is not placed" in await council.refuse()
    voided = build_event(PlacementVoided)
    assert isinstance(voided, PlacementVoided)
    await finish_withdrawal(voided, council.work)
    assert "is not placed" in await council.refuse()
