"""A real browser on the live server, and a watcher that fails the test for whatever a person would not see.

Every test has the fixtures; do not import them, for a second ``browser`` in a process finds the first one's loop.
``desk`` and ``phone`` are Playwright pages whose addresses are relative to the live server; ``sign_in(page, user)``
signs somebody in without the form. At the end of the test every complaint of the console (the content security
policy among them), every script error, every answer of 500 and every request to another host is a failure.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, sync_playwright

CHROMIUM = os.environ.get("VAULT_TEST_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
]
SignIn = Callable[[Page, Any], None]


class Watcher:
    """Collects what went wrong on a page without stopping it; ``excused`` texts are expected by the test."""

    def __init__(self, page: Page, host: str) -> None:
        self.complaints: list[str] = []
        self.excused: list[str] = []
        self.host = host
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        page.on("request", self._see)
        page.on("response", self._weigh)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _see(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https") and address.netloc != self.host:
            self.complaints.append(f"request to another host: {request.url}")

    def _weigh(self, response: Response) -> None:
        if response.status >= 500:
            self.complaints.append(f"answer {response.status}: {response.url}")

    def remaining(self) -> list[str]:
        return [text for text in self.complaints if not any(excuse in text for excuse in self.excused)]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this process."""
    # Playwright keeps an event loop in this thread; Django would then refuse the ORM in the test itself.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")


@contextmanager
def watched(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """Open a page in a fresh profile and fail at its end with every complaint; ``page.watcher`` has them before."""
    context = browser.new_context(base_url=address, locale="en-GB", timezone_id="UTC", **options)
    context.set_default_timeout(10_000)
    page = context.new_page()
    watcher = Watcher(page, urlsplit(address).netloc)
    page.watcher = watcher  # type: ignore[attr-defined]
    yield page
    context.close()
    assert watcher.remaining() == []


@pytest.fixture
def desk(browser: Browser, live_server: Any) -> Iterator[Page]:
    """A page at a desk: 1440 by 1000."""
    with watched(browser, live_server.url, viewport={"width": 1440, "height": 1000}) as page:
        yield page


@pytest.fixture
def phone(browser: Browser, live_server: Any) -> Iterator[Page]:
    """A page on a phone: 390 by 844, touch."""
    options = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with watched(browser, live_server.url, **options) as page:
        yield page


@pytest.fixture
def sign_in(live_server: Any) -> SignIn:
    """Sign ``user`` in on a page by a session cookie."""

    def signed_in(page: Page, user: Any) -> None:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])

    return signed_in


def scrolls_sideways(page: Page) -> int:
    """How many pixels the page as a whole is wider than the window; zero is right on every width."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
