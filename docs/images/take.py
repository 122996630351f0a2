"""Takes the README's pictures anew: `python docs/images/take.py http://127.0.0.1:8000 TRAINING CLASSIFICATION`.

The two are ids of jobs that have succeeded, as `make demo` leaves them; the classification has something to review.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from web.client.start_token import address_with, find_token

WIDTH = 1280
# Pages have few colours, so that a palette makes them a third as large.
COLOURS = 96


def main(server: str, training: str, classification: str) -> None:
    pages = {
        "train": ("/train?recipe=rmsprop-512", 790),
        "training": (f"/jobs/{training}", 760),
        "review": (f"/jobs/{classification}/review?place=3", 610),
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(color_scheme="light")
        if token := find_token(server):
            page.goto(address_with(server, token))
        for name, (path, height) in pages.items():
            page.set_viewport_size({"width": WIDTH, "height": height})
            page.goto(server + path, wait_until="networkidle")
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            picture.quantize(COLOURS).save(Path(__file__).with_name(f"{name}.png"), optimize=True)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
