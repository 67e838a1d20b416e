"""Debian's Chromium, headless, for tests that use pages as a person does."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

PROGRAM = Path("/usr/bin/chromium")
# Its sandbox does not work for root; a graphics card that is not there would be imitated, at great cost; and
# whatever a page asks for, no name leads anywhere.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
WINDOW: ViewportSize = {"width": 1920, "height": 1080}
PATIENCE_MS = 60_000.0

expect.set_options(timeout=PATIENCE_MS)


class Browser(NamedTuple):
    """An open page, and every address that was asked for from it, answered or not."""

    page: Page
    asked: list[str]

    @property
    def asked_elsewhere(self) -> list[str]:
        """What was asked of other machines."""
        return [address for address in self.asked if urlsplit(address).hostname not in {"127.0.0.1", None}]


@contextmanager
def opened(program: Path) -> Iterator[Browser]:
    """Chromium while the context lasts, in the time zone of the schedules.

    Playwright runs an event loop in this thread meanwhile: no asynchronous test can run beside it.
    """
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=program, args=OPTIONS) as chromium,
    ):
        page = chromium.new_page(viewport=WINDOW, locale="en-US", timezone_id="Etc/GMT-1")
        page.set_default_timeout(PATIENCE_MS)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda socket: asked.append(socket.url))
        yield Browser(page, asked)
