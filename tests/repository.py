"""Where the repository is, and the headings of its pages, for tests that read its files."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]


def anchors(page: str) -> set[str]:
    """What GitHub makes of a page's headings. `page` is its path from the root."""
    without_code = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", without_code, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
