"""What becomes of each parameter of a completion: the table."""

from typing import Final

from claude_openai.translate.parameters import FREQUENCY_PENALTY, LOGIT_BIAS, PRESENCE_PENALTY, SEED, USER, Parameter

_AS_CHAT: Final = "As in chat completions."

PARAMETERS: Final = (
    Parameter("prompt", "carried", "One text, which is what the user says; several, and tokens, are a 400."),
    Parameter("model", "carried", _AS_CHAT),
    Parameter("stream", "carried", _AS_CHAT),
    Parameter("stream_options", "partly", _AS_CHAT),
    Parameter("max_tokens", "carried", "As in chat completions: without it there is no bound, and not one of 16."),
    Parameter("temperature", "partly", _AS_CHAT),
    Parameter("top_p", "partly", _AS_CHAT),
    Parameter("stop", "carried", _AS_CHAT),
    Parameter("claude", "carried", "As in chat completions; what Claude Code does with its own tools is not shown."),
    Parameter("suffix", "refused", "Claude answers a prompt, and does not fill in text.", unless=("",)),
    Parameter("echo", "refused", "The answer comes without the prompt.", unless=(False,)),
    Parameter("n", "refused", "There is one answer to a prompt.", unless=(1,)),
    Parameter("best_of", "refused", "There is one answer to a prompt.", unless=(1,)),
    Parameter("logprobs", "refused", "Claude gives no probabilities."),
    LOGIT_BIAS,
    FREQUENCY_PENALTY,
    PRESENCE_PENALTY,
    SEED,
    USER,
)
