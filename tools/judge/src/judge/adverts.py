"""Checks what lists show of a package: what the adult needs, and nothing that says who the adult is."""

from collections.abc import Iterable, Iterator

from judge.events import PackageHistory, RecordedEvent, select_kinds
from judge.requirements import compute_hours
from judge.rules import FrameworkRules, Json


def check_adverts(story: PackageHistory, care: Json, rules: FrameworkRules) -> Iterator[str]:
    """Check the advert of each list, and of the package when it is opened to all."""
    for event in select_kinds(story, "PackageListed", "ListRowAdded"):
        advert: Json = event.data["advert"]
        expected = _list_expected(event.data["stage"], care, rules)
        wrong = sorted(name for name, values in expected.items() if advert[name] not in values)
        if wrong:
            yield f"the advert {advert['reference']} shows {', '.join(wrong)} other than the package has or a list may"
        if event.data["unit"] != rules.list_price_lines(care["service_type"], care["area"])[0]["unit"]:
            yield f"the advert {advert['reference']} asks for a price by the {event.data['unit']}"


def _list_expected(stage: str, care: Json, rules: FrameworkRules) -> dict[str, list[object]]:
    """List the values that an advert may have; of the place it has the area, the outward code where it is shown."""
    skills = {each["skill"] for each in rules.definition.get("skills", [])}
    shown, gender = rules.get_stage(stage).get("outward_codes_shown", ()), care.get("carer_gender")
    return {
        "lot": [care["lot"]],
        "area": [care["area"]],
        "outward_code": [care["outward_code"] if care["outward_code"] in shown else None],
        "age_band": [care["age_band"]],
        "carer_gender": [None, gender],
        "service_type": [care["service_type"]],
        "weekly_hours": [f"{compute_hours(care)}"],
        "carers_at_once": [max(each["carers"] for each in care["visits"])],
        "skills": [[each for each in care["needs"] if each in skills]],
    }


def check_references(stories: Iterable[PackageHistory]) -> Iterator[str]:
    """Check that every list has references of its own, so that nobody can follow a package from list to list."""
    used = dict[str, RecordedEvent]()
    for story in stories:
        for event in select_kinds(story, "PackageListed", "ListRowAdded"):
            reference = event.data["advert"]["reference"]
            if reference in used or reference == event.key:
                yield f"package {event.key}: the reference {reference} is not new"
            used[reference] = event
