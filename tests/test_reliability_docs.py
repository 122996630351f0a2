"""Every promise of docs/explanation/reliability.md names the tests that hold it, and there are these tests."""

import ast
import re

import pytest

from tests.paths import ROOT

PAGE = (ROOT / "docs" / "explanation" / "reliability.md").read_text(encoding="utf-8")

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def _promises() -> list[str]:
    """The rows of the tables of promises."""
    section = PAGE.partition("## Promises")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    return [row for row in rows if row != "| promise | held by |"]


@pytest.mark.parametrize("promise", _promises(), ids=lambda promise: promise[2:50])
def test_every_promise_names_what_holds_it(promise: str) -> None:
    assert NAMED.search(promise)


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMED.findall(PAGE))))
def test_every_test_that_is_named_is_there(file: str, name: str) -> None:
    module = ast.parse((ROOT / file).read_text(encoding="utf-8"))

    assert name in {item.name for item in module.body if isinstance(item, ast.FunctionDef)}
