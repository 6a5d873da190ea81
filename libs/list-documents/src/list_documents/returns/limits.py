"""What a returned list may have at most: far more than any real one, far less than what exhausts a process."""

from typing import Final

MAX_BYTES: Final = 10 * 1024 * 1024
"""Of the file as it was sent."""
MAX_UNPACKED_BYTES: Final = 30 * 1024 * 1024
MAX_RATIO: Final = 100
"""Unpacked to packed bytes of one part of a workbook that is larger than `RATIO_COUNTS_FROM`."""
RATIO_COUNTS_FROM: Final = 1024 * 1024
MAX_PARTS: Final = 300
MAX_SHEETS: Final = 10
MAX_ELEMENTS: Final = 500_000
"""XML elements of one part."""
MAX_DEPTH: Final = 20
"""Of the elements that are kept."""
MAX_TAG_BYTES: Final = 256 * 1024
"""Of one tag with the text that follows it; a cell has at most 32,767 characters."""
MAX_ROW: Final = 10_000
"""The number of the last row in which something stands."""
MAX_COLUMN: Final = 100
MAX_CELLS: Final = 60_000
"""Of a workbook, in which something stands."""
MAX_CHARACTERS: Final = 5_000_000
"""Of all cells of a workbook."""
