"""How each parameter of a completion is treated: the table."""

from typing import Final

from claude_openai.protocols.common.shared_parameters import Parameter, parameter_table
from claude_openai.protocols.completions.wire import CompletionRequest

_OWN: Final = (
    Parameter(
        "prompt",
        "carried",
        "A text, which becomes a user message, or several, each answered by itself: `n` choices to the first, then `n` "
        "to the second. Tokens are a 400.",
    ),
    Parameter("stream_options", "partly", "As in chat completions."),
    Parameter("max_tokens", "carried", "As in chat completions: without it there is no bound, and not one of 16."),
    Parameter("claude", "carried", "As in chat completions; what Claude Code does with its own tools is not shown."),
    Parameter(
        "suffix",
        "partly",
        "Claude has no such thing: a system prompt asks it for what stands between the prompt and this.",
    ),
    Parameter("stop", "carried", "As in chat completions."),
    Parameter("echo", "refused", "The answer comes without the prompt.", unless=(False,)),
    Parameter("n", "carried", "Up to 8 answers, all prompts together; see [above](#several-answers)."),
    Parameter("best_of", "refused", "Without probabilities there is no best.", unless=(1,)),
    Parameter("logprobs", "refused", "Claude gives no probabilities."),
)

PARAMETERS: Final = parameter_table(CompletionRequest, _OWN)
