"""The values of the domain."""

from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest

from claude_openai.core import events, failures, load, messages, models, ports, runs, turn

VALUES = [
    value
    for module in (events, failures, load, messages, models, ports, runs, turn)
    for value in vars(module).values()
    if isinstance(value, type) and is_dataclass(value) and value.__module__ == module.__name__
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_no_value_can_be_changed_once_made(value: type) -> None:
    made: object = object.__new__(value)
    for field in fields(value):
        with pytest.raises(FrozenInstanceError):
            setattr(made, field.name, None)


def test_all_tokens_of_a_prompt_count_cached_or_not() -> None:
    usage = events.Usage(input_tokens=3, output_tokens=9, cache_creation_tokens=20, cache_read_tokens=100)
    assert usage.prompt_tokens == 123
