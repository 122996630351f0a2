"""Cells of CSV files that hold text of strangers: file names, columns of a manifest.

Spreadsheets take a cell that begins like a formula for one, and run it when the file is opened. An apostrophe before it
makes it text to them. Standard library only: the web writes CSV too.
"""

import re

# As OWASP's page on CSV injection has them, with their full-width forms.
FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"
# `-3.5` begins like one and is none.
NUMBER = r"^[+-][0-9]+([.,][0-9]+)?$"


def as_cell(text: str) -> str:
    """The text as a cell that no spreadsheet runs.

    Example:
        >>> as_cell("=1+1"), as_cell("-3.5"), as_cell("7/scan.png")
        ("'=1+1", '-3.5', '7/scan.png')
    """
    return f"'{text}" if re.search(FORMULA, text) and not re.fullmatch(NUMBER, text) else text
