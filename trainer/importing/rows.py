"""Reads the rows of a CSV file one by one, so that a large one never lies in memory as text."""

import csv
import io
from collections.abc import Iterator
from typing import IO

from trainer.errors import DatasetInvalid
from trainer.importing.archives import unzipped
from trainer.importing.refusals import KINDS, refuse_damage, refuse_unless_text

MAX_LINE_CHARACTERS = 2**18

# Of the first line, which may be longer.
PEEKED_BYTES = 4096


def csv_rows(file: IO[bytes], what: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with its line number; cells are set apart by commas, semicolons or tabs.

    Raises:
        DatasetInvalid: the bytes are no text, or no CSV.
    """
    with refuse_damage(what):
        stream = unzipped(file)
        refuse_unless_text(stream.peek(1024)[:1024], what)
        reader = csv.reader(_lines(stream, what), delimiter=_delimiter(stream.peek(PEEKED_BYTES)))
        for row in reader:
            if row:
                yield reader.line_num, row


def _lines(stream: io.BufferedIOBase, what: str) -> Iterator[str]:
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")  # type: ignore[type-var]
    number = 0
    while line := text.readline(MAX_LINE_CHARACTERS):
        number += 1
        if len(line) == MAX_LINE_CHARACTERS:
            raise DatasetInvalid(f"{what}, line {number}: longer than {MAX_LINE_CHARACTERS:,} characters. {KINDS}")
        yield line


def _delimiter(start: bytes) -> str:
    line = start[:PEEKED_BYTES].partition(b"\n")[0]
    return max(",;\t", key=lambda mark: line.count(mark.encode()))
