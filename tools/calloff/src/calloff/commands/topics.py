"""`calloff topics plan|apply|check`: the topics of the running stack, or of the Kafka that a setting names."""

import os
import sys
from typing import Final

from calloff.commands.output import print_error
from devstack.errors import NotRunning
from devstack.home import find_home
from devstack.record import StackRecord
from service_runtime.kafka import topics_command

_BOOTSTRAP: Final = "CALLOFF_KAFKA_BOOTSTRAP"


def main() -> int:
    """Without `--bootstrap` and the setting, acts on the stack that runs on this machine; returns the exit status."""
    if not any(argument.partition("=")[0] in {"--bootstrap", "--help", "-h"} for argument in sys.argv[1:]):
        try:
            os.environ[_BOOTSTRAP] = os.environ.get(_BOOTSTRAP) or StackRecord.load(find_home()).kafka_bootstrap
        except NotRunning as error:
            print_error(error)
            return 1
    return topics_command.main()


if __name__ == "__main__":
    sys.exit(main())
