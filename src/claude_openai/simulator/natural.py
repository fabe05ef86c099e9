"""What the simulated model does by itself: it calls the tools that the prompt asks for, once each; gives structured
output where that is offered; and otherwise speaks, in JSON where that is asked for.
"""

from claude_openai.core.tools import STRUCTURED_OUTPUT
from claude_openai.simulator.arguments import arguments
from claude_openai.simulator.directives import without_directives
from claude_openai.simulator.hints import Hints
from claude_openai.simulator.json_answers import json_asked_for
from claude_openai.simulator.mentions import mentioned_tools
from claude_openai.simulator.rules import in_words, obeyed, spoken_text
from claude_openai.simulator.script import Block, Text, Thinking, ToolUse
from claude_openai.simulator.situation import Situation

THOUGHT = "The user wants an answer. I am a simulated model, so it will be a simple one."


def natural_blocks(seen: Situation) -> tuple[Block, ...]:
    thought = (Thinking.of(THOUGHT, pieces=4),) if seen.thinks else ()
    return (*thought, *(_calls(seen) or (_text(seen),)))


def call(seen: Situation, tool: str) -> ToolUse:
    """A call with arguments that the tool's schema accepts."""
    return ToolUse(tool, arguments(seen.schema(tool), hints(seen)))


def hints(seen: Situation) -> Hints:
    return Hints.of(without_directives(seen.prompt), without=seen.tools.keys())


def asked_for(seen: Situation) -> list[str]:
    """The tools that the prompt asks for."""
    prompt = without_directives(seen.prompt)
    if obeyed(prompt) is not None:
        return []
    return mentioned_tools(prompt, [tool for tool in seen.tools if tool != STRUCTURED_OUTPUT])


def _text(seen: Situation) -> Text:
    prompt = without_directives(seen.prompt)
    spoken = spoken_text(seen, prompt)
    given = json_asked_for(seen, prompt, spoken.text)
    return spoken if given is None else in_words(given)


def _calls(seen: Situation) -> tuple[ToolUse, ...]:
    wanted = _wanted_tools(seen)
    return tuple(call(seen, tool) for tool in (wanted if seen.parallel else wanted[:1]))


def _wanted_tools(seen: Situation) -> list[str]:
    if seen.choice == "none":
        return []
    if seen.chosen_tool is not None:
        return [seen.chosen_tool]
    unanswered = [tool for tool in asked_for(seen) if not seen.results_of(tool)]
    if unanswered or not seen.tools:
        return unanswered
    if _owes_structured_output(seen):
        return [STRUCTURED_OUTPUT]
    return [next(iter(seen.tools))] if seen.choice == "any" else []


def _owes_structured_output(seen: Situation) -> bool:
    given = any(not result.failed for result in seen.results_of(STRUCTURED_OUTPUT))
    return STRUCTURED_OUTPUT in seen.tools and not given
