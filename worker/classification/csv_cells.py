"""Escapes CSV cells with untrusted text, such as file names and columns of a manifest.

Spreadsheets run a cell that starts like a formula when the file is opened. A leading apostrophe makes it text.
Standard library only: the web writes CSV too.
"""

import re

# From OWASP's page on CSV injection, with full-width forms.
FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"
# `-3.5` starts like a formula but is a number.
NUMBER = r"^[+-][0-9]+([.,][0-9]+)?$"


def as_cell(text: str) -> str:
    """The text as a cell that spreadsheets do not run.

    Example:
        >>> as_cell("=1+1"), as_cell("-3.5"), as_cell("7/scan.png")
        ("'=1+1", '-3.5', '7/scan.png')
    """
    return f"'{text}" if re.search(FORMULA, text) and not re.fullmatch(NUMBER, text) else text
