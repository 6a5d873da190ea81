"""Sentences about a mini-competition: who is invited, how bids are judged, and what follows without one."""

from collections.abc import Iterable

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import Exhausted, MiniCompetition, SecondOfficer
from contracts.review.phrases import format_brokerage_length, format_minutes, join_words, name_ceilings


def describe_competition(
    definition: FrameworkDefinition, stage: MiniCompetition, invited: str, *, ends_road: bool
) -> Iterable[str]:
    """Yields the sentences; `invited` names the providers, `ends_road` is true for the last stage of a road."""
    yield f"{invited} that are eligible are invited to bid; the others are recorded with the reasons"
    length, questions = stage.open_for, stage.questions_end
    yield (
        f"bids are taken for {format_brokerage_length(length.routine)}, for an urgent package for "
        f"{format_minutes(length.urgent)} of plain time, and nobody reads them before the close"
    )
    yield (
        f"questions are taken until {format_brokerage_length(questions.routine)}, for an urgent package "
        f"{format_minutes(questions.urgent)}, before the close; all that are invited read the answers"
    )
    yield from _describe_result(definition, stage)
    yield from _describe_award(definition, stage)
    if ends_road or stage.exhausted is Exhausted.STOP:
        yield "without a suitable bid the road ends and an officer acts"
    else:
        yield "without a suitable bid the next stage follows"


def _describe_result(definition: FrameworkDefinition, stage: MiniCompetition) -> Iterable[str]:
    if stage.lowest_price:
        ceilings = name_ceilings(definition, stage.ceilings)
        hidden = "" if stage.shows_ceiling else ", which the providers do not see"
        yield f"the lowest rate wins that is not above the ceiling ({ceilings}){hidden}; a draw decides between equals"
        return
    weights = [f"{each.title} ({each.weight}%)" for each in stage.criteria]
    yield f"bids are judged by {join_words([*weights, f'price ({stage.price_weight}%)'])}"
    passed = "" if stage.pass_mark is None else f"; below {stage.pass_mark} in any of them a bid is not suitable"
    yield f"officers score each criterion from 0 to {stage.highest_score}{passed}"
    yield "the lowest price gets the whole weight of the price, others in proportion; a draw decides between equals"


def _describe_award(definition: FrameworkDefinition, stage: MiniCompetition) -> Iterable[str]:
    yield "an officer confirms the winner, or overrules the result with a reason and a second officer"
    if stage.second_officer is SecondOfficer.ALWAYS:
        yield "a second officer approves each award"
    elif not stage.lowest_price:
        yield f"above the ceiling ({name_ceilings(definition, stage.ceilings)}) a second officer approves"
    if stage.outward_codes_shown:
        yield f"the invitation shows the outward code, not the area alone, of {join_words(stage.outward_codes_shown)}"
