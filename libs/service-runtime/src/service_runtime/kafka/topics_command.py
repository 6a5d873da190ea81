"""`python -m service_runtime.kafka.topics_command plan|apply|check [--bootstrap HOST:PORT] [--json]`.

plan    shows what `apply` would do: exit status 0 for nothing, 2 for something, 1 for a contradiction
apply   creates missing topics and changes settings: exit status 0, or 1 if a contradiction is left
check   shows every difference between topics and catalogue: exit status 0 for none, 1 for any

Replicas and Kafka's address come from the environment (`KafkaSettings`). A wrong setting, and a login or certificate
that is refused, end the command with 78, a Kafka that does not answer with 75, and wrong arguments with 64.
"""

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from contracts.catalogue import SPECIFICATIONS
from contracts.errors import CallOffError
from service_runtime.installed_services import USAGE_STATUS
from service_runtime.kafka.availability import KafkaRefusal, KafkaUnavailable, check_kafka
from service_runtime.kafka.client import KafkaFailure
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.topic_admin import open_topic_admin
from service_runtime.kafka.topics import Replication, TopicPlan
from service_runtime.startup.errors import EXIT_CONFIG, EXIT_TEMPORARY, StartRefused
from service_runtime.startup.kafka_settings import read_kafka_settings

NOTHING_TO_DO: Final = 0
CONTRADICTED: Final = 1
SOMETHING_TO_DO: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    options = _build_parser().parse_args(arguments)
    try:
        settings = read_kafka_settings(options.bootstrap)
    except StartRefused as refused:
        sys.stderr.writelines(f"calloff topics: {line}\n" for line in refused.lines)
        return refused.exit_status
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # what fails is printed below
    try:
        plan = asyncio.run(_run(options.command, settings.build_kafka_connection(), settings.replication))
    except KafkaRefusal as refusal:
        return _fail(str(refusal), EXIT_CONFIG)
    except KafkaUnavailable as unavailable:
        return _fail(str(unavailable), EXIT_TEMPORARY)
    except CallOffError as error:
        return _fail(str(error), CONTRADICTED)
    except (KafkaFailure, OSError) as error:
        reason = f"Kafka at {settings.kafka_bootstrap} has stopped answering, or refuses ({type(error).__name__})"
        return _fail(f"{reason}; check the brokers, and the rights of this user", EXIT_TEMPORARY)
    sys.stdout.write(_to_json(plan) if options.json else _to_text(options.command, plan))
    return _choose_status(options.command, plan)


def _fail(reason: str, status: int) -> int:
    sys.stderr.write(f"calloff topics: {reason}\n")
    return status


class _Parser(argparse.ArgumentParser):
    """Ends with a status of its own: argparse's is that of a plan with something to do."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE_STATUS, f"{self.format_usage()}{self.prog}: {message}\n")


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="calloff topics", description="Kafka's topics, as the catalogue needs them.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="plan|apply|check")
    for name, text in (
        ("plan", "show what apply would do; exit status 2 if there is something"),
        ("apply", "create missing topics and change settings; may be repeated"),
        ("check", "show every difference; exit status 1 if there is one"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--bootstrap", metavar="HOST:PORT", help="Kafka's address; CALLOFF_KAFKA_BOOTSTRAP")
        command.add_argument("--json", action="store_true", help="print JSON")
    return parser


async def _run(command: str, kafka: KafkaConnection, replication: Replication) -> TopicPlan:
    """Returns what there is to do; after `apply` that is nothing but contradictions."""
    await check_kafka(kafka)
    async with open_topic_admin(kafka) as admin:
        plan = await admin.plan(SPECIFICATIONS, replication)
        if command == "apply":
            await admin.apply(plan, replication)
    return plan


def _choose_status(command: str, plan: TopicPlan) -> int:
    if plan.contradictions:
        return CONTRADICTED
    if command == "apply" or plan.is_empty:
        return NOTHING_TO_DO
    return SOMETHING_TO_DO if command == "plan" else CONTRADICTED


def _to_text(command: str, plan: TopicPlan) -> str:
    done = command == "apply"
    lines = [f"{'created' if done else 'missing'}: topic {each.name}" for each in plan.missing]
    for change in plan.changes:
        verb = "changed" if done else "differs"
        lines.append(f"{verb}: topic {change.topic}, {change.setting} from {change.present} to {change.specified}")
    lines += [f"contradiction: {each}" for each in plan.contradictions]
    return "".join(f"{line}\n" for line in lines or ["All topics are as specified."])


def _to_json(plan: TopicPlan) -> str:
    document = {
        "missing": [each.name for each in plan.missing],
        "changes": [vars(each) for each in plan.changes],
        "contradictions": [vars(each) for each in plan.contradictions],
    }
    return f"{json.dumps(document, indent=2)}\n"


if __name__ == "__main__":
    sys.exit(main())
