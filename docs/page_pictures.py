"""Takes the pictures of docs/pages.md and the README's report: the pages of a running `cricksy dev`, in a headless Chromium.

    python docs/page_pictures.py http://127.0.0.1:8000 JOB

Belongs here: which pictures, and making them small. Does not belong here: what the pages look like. JOB is a finished analysis of the
development coach, such as `cricksy demo` leaves.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

PICTURES = Path(__file__).parent / "pictures"
MOST_BYTES = 150_000
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
REPORT = {"width": 1040, "height": 1460}
"""As far as the first finding goes."""


def save(name: str, png: bytes) -> None:
    """The picture as JPEG, as good as fits into `MOST_BYTES`: fewer colours would make left and right of a skeleton the same."""
    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("RGB")
    for quality in (90, 84, 78, 70, 60):
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
        if len(out.getvalue()) <= MOST_BYTES:
            break
    (PICTURES / name).write_bytes(out.getvalue())
    print(f"{name}: {len(out.getvalue()) // 1000} kB")


def side_by_side(left: bytes, right: bytes) -> bytes:
    """Two phone screens as one picture."""
    from PIL import Image

    pictures = [Image.open(io.BytesIO(png)).convert("RGB") for png in (left, right)]
    both = Image.new("RGB", (sum(p.width for p in pictures) + 24, max(p.height for p in pictures)), "white")
    both.paste(pictures[0], (0, 0))
    both.paste(pictures[1], (pictures[0].width + 24, 0))
    out = io.BytesIO()
    both.save(out, "PNG")
    return out.getvalue()


def main(address: str, job: str) -> None:
    """Every picture."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))

        def shot(path: str, size: dict, scheme: str, *, show: str = "") -> bytes:
            context = browser.new_context(viewport=size, color_scheme=scheme)
            page = context.new_page()
            page.goto(address + path)
            if page.query_selector("[data-part=watch]"):
                page.wait_for_selector("[data-part=watch][data-ready=true]")
                page.wait_for_timeout(800)
            if show:
                page.locator(show).first.evaluate("e => window.scrollTo(0, e.getBoundingClientRect().top + scrollY - 8)")
                page.wait_for_timeout(300)
            png = page.screenshot()
            context.close()
            return png

        result = f"/analyses/{job}"
        save("page-result.jpg", shot(result, DESK, "light"))
        save("page-result-dark.jpg", shot(result, DESK, "dark"))
        save("page-phone.jpg", side_by_side(shot(result, PHONE, "light"), shot(result, PHONE, "dark", show="[data-part=watch]")))
        save("page-balls.jpg", shot(result, DESK, "light", show="#strip-title"))
        save("page-sessions.jpg", shot("/", DESK, "light"))
        save("page-upload.jpg", shot("/upload", DESK, "light"))
        save("report.jpg", shot(f"/api/coaches/plus/analysis-jobs/{job}/report.html", REPORT, "light"))
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
