"""`python -m devstack.postcode_index FOLDER` builds the index of the postcode directory and prints its progress.

Each line of standard output is a share between 0 and 1.
"""

import sys
from pathlib import Path

from geography import PostcodeDirectory


def main() -> None:
    PostcodeDirectory.open(Path(sys.argv[1]), progress=lambda share: print(share, flush=True))  # noqa: T201 - read by the parent


if __name__ == "__main__":
    main()
