"""A length of time in words, as rough as an estimate is."""


def about(seconds: float) -> str:
    """`about 40 s`, `about 3 min`, `about 2 h 10 min`."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds / 5) * 5} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"about {minutes} min"
    hours, minutes = divmod(round(seconds / 600) * 10, 60)
    return f"about {hours} h {minutes} min" if minutes else f"about {hours} h"
