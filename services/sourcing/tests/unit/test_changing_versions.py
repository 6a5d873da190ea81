"""A search moves to another version only if its stage goes on there in the same way."""

from dataclasses import replace

import pytest

from contracts.example_words import Tiers
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import Recipients
from sourcing.domain.errors import VersionNotPossible
from sourcing.domain.triggers import ChangeVersion
from testkit.sourcing.builders import PACKAGE
from testkit.sourcing.definitions import a_definition, a_stage, a_stage_for_all
from testkit.sourcing.search_driver import SearchDriver
from testkit.sourcing.stages_for_all import ask_all

TO_TWO = ChangeVersion(PACKAGE, 2, "officer:first")


def publish(driver: SearchDriver, target: FrameworkDefinition) -> None:
    driver.market = replace(driver.market, target=target)


def test_a_search_is_not_moved_to_another_procedure_of_its_stage_so_that_no_acceptance_is_lost() -> None:
    driver = ask_all()
    driver.accept("Alder")
    sequential = a_stage(Tiers.ONE, stage="all", to=Recipients(tiers=(Tiers.ONE,)))
    publish(driver, a_definition(*Tiers.ALL, version=2, sourcing=(sequential, a_stage(Tiers.TWO))))
    with pytest.raises(VersionNotPossible, match="another procedure"):
        driver.handle(TO_TWO)


def test_a_search_is_moved_where_its_stage_has_the_same_procedure() -> None:
    driver = ask_all()
    publish(driver, a_definition(*Tiers.ALL, version=2, sourcing=(a_stage_for_all(), a_stage(Tiers.TWO))))
    driver.handle(TO_TWO)
    assert driver.current.definition_version == 2
