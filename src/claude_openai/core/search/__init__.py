"""The search language of runs: parsing a query, and whether a run matches it.

One parser serves `GET /runs?q=`, `claude-openai runs QUERY` and the page. A parsed `Query` is a value: `matches`
applies it to a run in memory, and `store.sqlite.search` compiles it to SQL. One test suite holds both to the same
results.
"""

from claude_openai.core.search.matching import in_order, is_behind, matches
from claude_openai.core.search.parser import parse
from claude_openai.core.search.query import EVERYTHING, Problem, Query, in_state

__all__ = ["EVERYTHING", "Problem", "Query", "in_order", "in_state", "is_behind", "matches", "parse"]
