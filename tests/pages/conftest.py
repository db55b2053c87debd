"""The browser's fixtures, for every test of a page."""

from tests.browser import browser, desk, phone, sign_in

__all__ = ["browser", "desk", "phone", "sign_in"]
