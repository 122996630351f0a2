"""Holds the answers that were accepted against what is known of them: are more wrong than a person asked for?"""

from typing import Any

from trainer.intervals import ERROR_CHANCE, binomial_tail
from worker.parameters import ClassificationParameters

REMEDY = "Review them with a higher “review below”, or train a model on images like these."


def accepted_error(checked: int, wrong: int, parameters: ClassificationParameters) -> dict[str, Any] | None:
    """The share of wrong ones among accepted answers whose true class is known: the summary's `accepted_error`.

    None where nothing was asked for (the person gave a threshold), or where the truth of no accepted answer is known.

    Args:
        checked: accepted answers whose true class is known.
        wrong: those of them that are wrong.

    Returns:
        `asked` (0–1), `checked`, `wrong`, `rate` (0–1); `exceeded`, whether the rate is above what was asked;
        `beyond_chance`, whether Clopper and Pearson's exact one-sided lower bound of 95 % confidence is above it too;
        and `message`, a sentence for a person where it is exceeded, else None.

    Example:
        >>> accepted_error(478, 35, ClassificationParameters())["message"][:80]
        '7.3 % of the accepted answers with a known truth are wrong (35 of 478); you aske'
    """
    if parameters.review_below is not None or not checked:
        return None
    asked, rate = parameters.max_error_rate, wrong / checked
    exceeded = rate > asked
    beyond_chance = exceeded and 1 - binomial_tail(wrong - 1, checked, asked) <= ERROR_CHANCE
    return {
        "asked": asked,
        "checked": checked,
        "wrong": wrong,
        "rate": round(rate, 6),
        "exceeded": exceeded,
        "beyond_chance": beyond_chance,
        "message": _message(checked, wrong, asked, beyond_chance=beyond_chance) if exceeded else None,
    }


def _message(checked: int, wrong: int, asked: float, *, beyond_chance: bool) -> str:
    found = (
        f"{_percent(wrong / checked)} of the accepted answers with a known truth are wrong ({wrong:,} of {checked:,}); "
        f"you asked for at most {_percent(asked)}."
    )
    if beyond_chance:
        return f"{found} This is more than chance explains: do not rely on the accepted answers. {REMEDY}"
    return f"{found} With so few checked this may be chance."


def _percent(share: float) -> str:
    """With as many digits as tell it from nothing: `7.3 %`, `0.05 %`."""
    return f"{share:.1%}".replace("%", " %") if share >= 0.01 else f"{share * 100:.2g} %"
