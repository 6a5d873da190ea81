"""Questions of invited providers, and the answers, which all that are invited can read."""

from contracts.events.competitions import QuestionAnswered, QuestionAsked
from sourcing.domain.competitions.competition import CompetitionStatus
from sourcing.domain.competitions.errors import CompetitionNotFound, QuestionNotFound, QuestionsClosed
from sourcing.domain.competitions.lookups import get_competition
from sourcing.domain.competitions.outcomes import QuestionIsAnswered, QuestionTaken
from sourcing.domain.competitions.triggers import AnswerQuestion, AskQuestion
from sourcing.domain.draft import Draft
from sourcing.domain.steps import Result


def ask_question(draft: Draft, command: AskQuestion) -> Result:
    """Record a question. Raises CompetitionNotFound for a provider that is not invited, and QuestionsClosed.

    A question at the very instant at which questions end is late.
    """
    competition = get_competition(draft, command.competition_id)
    if not competition.is_invited(command.provider_id):
        raise CompetitionNotFound
    if competition.status is not CompetitionStatus.OPEN or draft.at >= competition.questions_until:
        raise QuestionsClosed(
            f"questions were taken until {competition.questions_until.isoformat()}; read the answers that were given"
        )
    draft.publish(
        QuestionAsked(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            competition_id=competition.competition_id,
            question_id=command.question_id,
            provider_id=command.provider_id,
            content_hash=command.content_hash,
        )
    )
    return Result(QuestionTaken(command.question_id))


def answer_question(draft: Draft, command: AnswerQuestion) -> Result:
    """Answer a question; a later answer replaces it. Raises QuestionNotFound, and QuestionsClosed after the close."""
    competition = get_competition(draft, command.competition_id)
    question = competition.find_question(command.question_id)
    if question is None:
        raise QuestionNotFound("there is no such question in this competition; list its questions")
    if competition.status is not CompetitionStatus.OPEN or draft.at >= competition.closes_at:
        raise QuestionsClosed("the competition has closed, and an answer would help nobody to bid any more")
    draft.publish(
        QuestionAnswered(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            competition_id=competition.competition_id,
            question_id=command.question_id,
            note_id=command.note_id,
            officer=command.officer,
            content_hash=command.content_hash,
        )
    )
    return Result(QuestionIsAnswered(command.question_id, replaces=question.note_id))
