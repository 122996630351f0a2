"""Where the truth is known and more accepted answers are wrong than was asked for, that is said."""

import pytest

from tenfold.worker.classification.accepted_errors import accepted_error
from tenfold.worker.classification.parameters import ClassificationParameters

ASKED = ClassificationParameters(max_error_rate=0.005)


def test_more_wrong_than_chance_explains_is_said_with_the_figures() -> None:
    found = accepted_error(478, 35, ASKED)

    assert found is not None
    assert (found["exceeded"], found["significant"]) == (True, True)
    assert found["message"].startswith(
        "7.3 % of the accepted answers with a known true label are wrong (35 of 478); the maximum is 0.5 %. "
        "This is statistically significant"
    )


def test_where_only_the_share_that_was_seen_is_above_it_may_be_chance() -> None:
    found = accepted_error(100, 1, ASKED)

    assert found is not None
    assert (found["exceeded"], found["significant"]) == (True, False)
    assert "may be chance" in found["message"]


@pytest.mark.parametrize(("checked", "wrong"), [(100, 0), (1000, 5), (100_000, 500)])
def test_a_share_as_asked_for_is_no_news(checked: int, wrong: int) -> None:
    found = accepted_error(checked, wrong, ASKED)

    assert found is not None
    assert (found["exceeded"], found["message"]) == (False, None)


def test_the_bound_is_clopper_and_pearson_s() -> None:
    # Of 600, where 0.5 % are wrong, 7 or more are with a chance of 3.3 %, 6 or more with one of 8.4 %.
    verdicts = [accepted_error(600, wrong, ASKED) for wrong in (6, 7)]

    assert [found is not None and found["significant"] for found in verdicts] == [False, True]


def test_nothing_is_said_where_nothing_was_asked_or_is_known() -> None:
    assert accepted_error(100, 50, ClassificationParameters(review_below=0.9)) is None
    assert accepted_error(0, 0, ASKED) is None
