"""What axe finds on a page."""

from __future__ import annotations

from typing import Any

FINDINGS = """async () => (await axe.run({resultTypes: ["violations"], preload: false})).violations.map(
  each => each.id + ": " + each.nodes.map(node => node.html.slice(0, 160)).join(" | "))"""


def bring(page: Any) -> None:
    """Put axe into a page."""
    from axe_playwright_python.base import AXE_SCRIPT

    page.evaluate(AXE_SCRIPT)


def findings(page: Any) -> list[str]:
    """What axe finds in either theme."""
    bring(page)
    found = []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        found += [f"{theme}: {finding}" for finding in page.evaluate(FINDINGS)]
    return found
