"""What is known of Claude's models by their version."""

import pytest

from claude_openai.claude_code.model_facts import facts_of


@pytest.mark.parametrize(
    ("resolved", "takes"),
    [
        ("claude-3-5-haiku-20241022", True),
        ("claude-sonnet-4-20250514", True),
        ("claude-sonnet-4-5-20250929", True),
        ("claude-haiku-4-5", True),
        ("claude-opus-4-7", False),
        ("claude-sonnet-5", False),
        ("claude-opus-5-5", False),
        ("claude-sonnet-4-5[1m]", True),
        ("something-else", False),
    ],
)
def test_only_models_before_4_7_take_a_temperature(resolved: str, takes: bool) -> None:
    assert ("temperature" in facts_of(resolved).takes) is takes
