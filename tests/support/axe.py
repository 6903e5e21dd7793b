"""What axe finds on a page."""

from __future__ import annotations

from typing import Any

FINDINGS = """async runOnly => {
  const sparing = {resultTypes: ["violations"], selectors: false, preload: false};
  const {violations} = await axe.run({...sparing, ...runOnly && {runOnly}});
  return violations.map(each => each.id + ": " + each.nodes.map(node => node.html.slice(0, 160)).join(" | "));
}"""

# Themes differ in these.
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}


def bring(page: Any) -> None:
    """Put axe into a page."""
    from axe_playwright_python.base import AXE_SCRIPT

    page.evaluate(AXE_SCRIPT)


def findings(page: Any) -> list[str]:
    """What axe finds in either theme."""
    bring(page)
    found = []
    for theme, rules in (("light", None), ("dark", COLOURS)):
        page.emulate_media(color_scheme=theme)
        found += [f"{theme}: {finding}" for finding in page.evaluate(FINDINGS, rules)]
    return found
