"""Take the README's screenshot: `python docs/images/take.py http://127.0.0.1:8000 CLASSIFICATION`.

The latter is the id of a classification that has succeeded, as `make demo` leaves one.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tenfold.client.start_token import address_with, find_token

SIZE = {"width": 1280, "height": 860}
# Pages have few colors, so a palette makes the file a third as large.
COLORS = 96


def main(server: str, classification: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(color_scheme="light", viewport=SIZE)
        if token := find_token(server):
            page.goto(address_with(server, token))
        page.goto(f"{server}/jobs/{classification}", wait_until="networkidle")
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        browser.close()
    picture.quantize(COLORS).save(Path(__file__).with_name("classification.png"), optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
