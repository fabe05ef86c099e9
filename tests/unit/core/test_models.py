"""The errors of model names: what they suggest exists."""

import pytest

from claude_openai.core.failures import RequestFailed
from claude_openai.core.models import Catalogue, Model

MODELS = (Model("opus"), Model("sonnet"))


def test_a_default_that_does_not_exist_is_not_suggested() -> None:
    with pytest.raises(RequestFailed, match="--model-alias gpt-4=sonnet"):
        Catalogue(MODELS, default="gpt-4").resolve(None)
    with pytest.raises(RequestFailed, match="--model-alias gpt-4=opus"):
        Catalogue(MODELS, default="opus").resolve("gpt-4")
    with pytest.raises(RequestFailed, match="--model-alias gpt-4=opus"):
        Catalogue(MODELS[:1], default="gpt-4").resolve(None)


def test_a_name_longer_than_any_is_neither_looked_for_nor_repeated() -> None:
    with pytest.raises(RequestFailed) as caught:
        Catalogue(MODELS, default="sonnet").resolve("claude-sonnet-" + "4" * 100_000)
    assert len(caught.value.failure.message) < 1000


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("sonet", "sonnet"),
        ("anthropic/sonet", "sonnet"),
        ("Opsu", "opus"),
        ("gpt4o", "gpt-4o"),
        ("sonnte-agent", "sonnet-agent"),
    ],
)
def test_a_misspelled_name_gets_the_one_that_was_meant(name: str, meant: str) -> None:
    with pytest.raises(RequestFailed) as caught:
        Catalogue(MODELS, default="sonnet", aliases=(("gpt-4o", "sonnet"),), agents=True).resolve(name)
    assert f" Did you mean `{meant}`? " in caught.value.failure.message


def test_an_alias_of_nothing_is_reported_as_such() -> None:
    with pytest.raises(RequestFailed) as caught:
        Catalogue(MODELS, default="sonnet", aliases=(("a", "nonsense"),)).listed()
    wanted = "The alias `a` stands for `nonsense`, which does not exist here. Available: opus, sonnet."
    assert caught.value.failure.message == wanted
