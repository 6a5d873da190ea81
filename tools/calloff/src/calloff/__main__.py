"""The `calloff` command: replaces itself by the program that implements the subcommand."""

import sys

from calloff.programs import execute_module, find_program, replace_process


def main() -> None:
    arguments = sys.argv[1:]
    program = find_program(arguments)
    if program is None:
        execute_module("calloff.commands", arguments)
    replace_process(program, arguments[len(program.split()) :])


if __name__ == "__main__":
    main()
