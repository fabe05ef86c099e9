"""`python -m claude_openai.settings README.md ...` regenerates the tables in these documents."""

import sys
from pathlib import Path

from claude_openai.settings.tables import with_tables

if __name__ == "__main__":
    for document in map(Path, sys.argv[1:]):
        document.write_text(with_tables(document.read_text("utf-8")), "utf-8")
