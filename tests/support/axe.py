"""axe-core in a page: the rules of WCAG 2.2 AA and axe's own good practice."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.support.node import installed

_RUN = """(rules) => axe.run(document, rules ? {runOnly: rules} : {rules: {'target-size': {enabled: true}}})
    .then(({violations, passes}) => ({
        violations: violations.map(({id, nodes}) => [id, nodes.map(({html, any}) => [
            html.slice(0, 160), any.map(({message}) => message).join(' ').slice(0, 160)])]),
        passes: passes.map(({id}) => id),
    }))"""


class Axe:
    """Looks at one page; what it needs is put there once a load.

    Attributes:
        passed: the rules that had something to look at, and found nothing wrong.
    """

    def __init__(self, page: Page) -> None:
        self.passed: set[str] = set()
        self._page = page
        self._source = (installed() / "node_modules" / "axe-core" / "axe.min.js").read_text()

    def violations(self, *rules: str) -> list[str]:
        """What breaks these rules, or any, each with the elements and what is wrong with them."""
        if not self._page.evaluate("'axe' in window"):
            self._page.evaluate(self._source)
        found: dict[str, list[Any]] = self._page.evaluate(_RUN, list(rules) or None)
        self.passed.update(found["passes"])
        return [f"{name}: {nodes[:4]}" for name, nodes in found["violations"]]
