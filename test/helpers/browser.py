"""A browser without a screen."""

import shutil
from contextlib import contextmanager

import pytest


@contextmanager
def headless_chromium(*options):
    """Yield Debian's Chromium, driven by playwright; skip the test where one of them is missing."""
    path = shutil.which('chromium')
    if path is None:
        pytest.skip('chromium is not installed: apt-get install chromium')
    playwright = pytest.importorskip('playwright.sync_api')
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=['--no-sandbox', *options])
        yield browser
        browser.close()


def complaints_of(page):
    """Return the list to which a page's errors are added."""
    complaints = []
    page.on('console', lambda said: complaints.append(said.text) if said.type == 'error' else None)
    page.on('pageerror', lambda error: complaints.append(str(error)))
    return complaints
