"""Checks whether more accepted answers are wrong than the user allowed, where the true label is known."""

from typing import Any

from tenfold.trainer.evaluation.acceptance import ERROR_CHANCE, binomial_tail
from tenfold.worker.classification.parameters import ClassificationParameters

REMEDY = "Classify again with a higher “review below”, or train a model on images like these."


def accepted_error(checked: int, wrong: int, parameters: ClassificationParameters) -> dict[str, Any] | None:
    """The error rate among accepted answers with a known true label: `accepted_error` in the summary.

    None if the user set a threshold, or no accepted answer has a true label.

    Args:
        checked: number of accepted answers with a true label.
        wrong: how many of them are wrong.

    Returns:
        `max_error_rate` (0–1), `checked`, `wrong`, `error_rate` (0–1); `exceeded`, whether the rate is above the
        maximum; `significant`, whether Clopper and Pearson's exact one-sided lower bound of 95 % confidence is too; and
        `message`, a sentence if it is exceeded, else None.

    Example:
        >>> accepted_error(478, 35, ClassificationParameters())["message"][:80]
        '7.3 % of the accepted answers with a known true label are wrong (35 of 478); the '
    """
    if parameters.review_below is not None or not checked:
        return None
    asked, rate = parameters.max_error_rate, wrong / checked
    exceeded = rate > asked
    significant = exceeded and 1 - binomial_tail(wrong - 1, checked, asked) <= ERROR_CHANCE
    return {
        "max_error_rate": asked,
        "checked": checked,
        "wrong": wrong,
        "error_rate": round(rate, 6),
        "exceeded": exceeded,
        "significant": significant,
        "message": _message(checked, wrong, asked, significant=significant) if exceeded else None,
    }


def _message(checked: int, wrong: int, asked: float, *, significant: bool) -> str:
    found = (
        f"{_percent(wrong / checked)} of the accepted answers with a known true label are wrong ({wrong:,} of "
        f"{checked:,}); the maximum is {_percent(asked)}."
    )
    if significant:
        return f"{found} This is statistically significant: do not rely on the accepted answers. {REMEDY}"
    return f"{found} With so few labeled answers this may be chance."


def _percent(share: float) -> str:
    """With enough digits for small shares: `7.3 %`, `0.05 %`."""
    return f"{share:.1%}".replace("%", " %") if share >= 0.01 else f"{share * 100:.2g} %"
