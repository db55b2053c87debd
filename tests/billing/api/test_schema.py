"""The description of the whole API: generated without a warning, and readable under the strict policy."""

from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect


def test_generates_without_a_warning(tmp_path: Any) -> None:
    file = tmp_path / "schema.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file))
    text = file.read_text()
    for path in ("/runs", "/runs/{key}", "/credits", "/quotes", "/usage/current", "/invoices", "/usage/events"):
        assert f"  /api/v1{path}:\n" in text, path
    assert "Idempotency-Key" in text


@pytest.mark.browser
@pytest.mark.slow
def test_its_page_keeps_the_policy(desk: Page) -> None:
    desk.goto("/api/v1/docs/")
    expect(desk.locator("h1, h2").filter(has_text="Vault API")).to_be_visible()
    desk.get_by_role("button", name="POST /api/v1/quotes", exact=True).click()
    expect(desk.get_by_text("Price a usage exactly")).to_be_visible()
