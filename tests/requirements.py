"""What this program promises, one row per behaviour, each with the source of the promise.

Tests name the rows they prove: `@pytest.mark.proves("stream.done")`, on a test, on a class or (as
`pytestmark`) on a module, each id written out. `test_requirements.py` fails on a row without a test and on a
test without a row, so a promise is added here first.

An id reads `area.subject`, with further parts for the cases of a subject, each part in kebab-case. It states
the promise, not the code that keeps it: `errors.body-too-large.without-length`, not
`errors.limit-middleware-2`. The area is that of the section. The text is one sentence that a user of the
server could check by hand.
"""

from dataclasses import dataclass
from typing import Final, Literal

Source = Literal[
    "OpenAI: Create chat completion",
    "OpenAI: Create completion (legacy)",
    "OpenAI: Streaming",
    "OpenAI: Errors",
    "OpenAI: Models",
    "OpenAI: Responses",
    "Open Responses specification, compliance cases",
    "Claude Code (measured)",
    "README",
    "design",
    "ours",
]

CHAT: Final = "OpenAI: Create chat completion"
COMPLETIONS: Final = "OpenAI: Create completion (legacy)"
STREAMING: Final = "OpenAI: Streaming"
ERRORS: Final = "OpenAI: Errors"
MODELS: Final = "OpenAI: Models"
OPEN_RESPONSES: Final = "Open Responses specification, compliance cases"
RESPONSES: Final = "OpenAI: Responses"
MEASURED: Final = "Claude Code (measured)"
README: Final = "README"
DESIGN: Final = "design"
OURS: Final = "ours"


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    text: str
    source: Source


PROJECT_REQUIREMENTS = (
    Row("project.requirements-proved", "Every row here has a test and every test names a row.", OURS),
    Row("project.version", "The version that the code knows is the one in `pyproject.toml`.", OURS),
    Row("project.imports-go-down", "The import contracts hold for every package there is.", DESIGN),
    Row("project.locked", "Every requirement is pinned with hashes and names no index or machine.", OURS),
    Row("project.make.help", "`make` alone lists every target with a line on what it does.", OURS),
    Row("project.docs.settings-table", "The README's table lists every setting as the code has it.", README),
    Row("project.docs.parameters-table", "The README's table says what becomes of every parameter.", README),
    Row("project.docs.examples-run", "Every example in the README runs as written.", README),
    Row("project.docs.names", "Every link, flag, target, file and test that a document names is there.", OURS),
    Row("project.sandbox", "No test can reach a real account, or leave a process or a file behind.", OURS),
    Row("project.wheel", "The wheel has every file of the package and nothing beside it.", OURS),
    Row("project.demo", "The demo streams an answer by the real Claude Code to a stock client.", README),
)

CORE_REQUIREMENTS = (
    Row("core.values.frozen", "The values of a turn cannot be changed once made.", DESIGN),
    Row("core.one-pipeline", "Streamed chunks add up to the object answered without `stream`.", DESIGN),
    Row("core.backend.conformance", "Every backend passes the same suite, the scripted one too.", DESIGN),
)

SIMULATOR_REQUIREMENTS = (
    Row("simulator.messages.plain", "`POST /v1/messages` answers one whole message.", OURS),
    Row("simulator.messages.stream", "With `stream` the same message comes as Messages API events.", OURS),
    Row("simulator.count-tokens", "`count_tokens` gives the input tokens that a message then costs.", OURS),
    Row("simulator.unknown-path", "A path it does not have is a 404 in Anthropic's error shape.", OURS),
    Row("simulator.deterministic", "The same requests in the same order get the same answers.", OURS),
    Row("simulator.rules.prompt", "Rules written in the prompt choose the answer.", OURS),
    Row("simulator.rules.script", "A script object given by a test chooses the answers.", OURS),
    Row("simulator.reply.text", "A reply can be plain text.", OURS),
    Row("simulator.reply.deltas", "A reply can come in given deltas with given delays.", OURS),
    Row("simulator.reply.thinking", "A reply can think before it speaks.", OURS),
    Row("simulator.reply.rate-limits", "A reply can carry headers of upstream's, of a rate limit say.", OURS),
    Row("simulator.reply.tool-use", "A reply can use one tool or several in one message.", OURS),
    Row("simulator.reply.tool-arguments", "Tool arguments derived from a schema satisfy it.", OURS),
    Row("simulator.reply.invalid-arguments", "Arguments can be invalid until a tool error is seen.", OURS),
    Row("simulator.reply.structured", "A structured reply satisfies the schema asked for.", OURS),
    Row("simulator.reply.refusal", "A reply can be a refusal.", OURS),
    Row("simulator.reply.max-tokens", "A reply is cut at `max_tokens` and says so.", OURS),
    Row("simulator.reply.empty", "A reply can be empty.", OURS),
    Row("simulator.reply.megabyte", "A reply can be a megabyte of text.", OURS),
    Row("simulator.reply.split-emoji", "A reply can split an emoji over deltas.", OURS),
    Row("simulator.failure.status", "It fails with 400, 401, 403, 404, 413, 429, 500 or 529 if told.", OURS),
    Row("simulator.failure.refused", "It refuses the connection if told.", OURS),
    Row("simulator.failure.slow-first-byte", "It holds back the first byte if told.", OURS),
    Row("simulator.failure.stall", "It stalls in mid-stream if told.", OURS),
    Row("simulator.failure.cut", "It cuts the stream if told.", OURS),
    Row("simulator.failure.malformed", "It sends a malformed event if told.", OURS),
    Row("simulator.usage", "Usage follows from what was sent and what was answered.", OURS),
    Row("simulator.usage.cached", "Cached tokens are the longest prefix of an earlier request.", OURS),
    Row("simulator.records", "Every request is recorded with its arrival time, body and headers.", OURS),
    Row("simulator.command", "`claude-openai simulator --port N` runs it by itself.", OURS),
    Row("simulator.claude-code", "The real Claude Code answers from it, with no account anywhere.", OURS),
)

SIMULATE_REQUIREMENTS = (
    Row("simulate.answers", "`--simulate` answers through the real Claude Code and the simulator.", OURS),
    Row("simulate.loud.banner", "The banner says that answers are simulated.", OURS),
    Row("simulate.loud.health", "`/health` says that answers are simulated.", OURS),
    Row("simulate.loud.header", "A header of every answer says that it is simulated.", OURS),
    Row("simulate.never-by-itself", "Without `--simulate` nothing ever falls back to the simulator.", OURS),
)

HTTP_REQUIREMENTS = (
    Row("http.health", "`/health` gives version, backend and readiness, without a key.", OURS),
    Row("http.health.not-ready", "`/health` says why the server is not ready.", OURS),
    Row("http.health.no-secrets", "`/health` tells nothing about keys, accounts or paths.", OURS),
    Row("http.openapi", "`/openapi.json` describes every route, and the server's answers fit it.", OURS),
    Row("http.not-found", "An unknown path is a 404 in OpenAI's shape.", ERRORS),
    Row("http.not-offered", "What only OpenAI has is a 404 that says what there is in its place.", OURS),
    Row("http.wrong-method", "A wrong method is a 405 in OpenAI's shape that names the right ones.", ERRORS),
    Row("http.request-id", "Every answer, errors too, has an `x-request-id` of its own.", ERRORS),
)

MODELS_REQUIREMENTS = (
    Row("models.list", "`GET /v1/models` lists models as OpenAI does.", MODELS),
    Row("models.list.from-claude-code", "The list is the one Claude Code gives when it starts.", OURS),
    Row("models.list.override", "`CLAUDE_MODELS_OVERRIDE` replaces the list.", README),
    Row("models.capabilities", "A model's entry tells its context window, what it takes and what it gives.", OURS),
    Row("models.retrieve", "`GET /v1/models/{id}` gives one model by any name it is known by.", MODELS),
    Row("models.retrieve.unknown", "An unknown id there is a 404 `model_not_found`.", MODELS),
    Row("models.names.short", "`sonnet`, `opus`, `haiku` are models, and so with `claude-` before.", README),
    Row("models.names.full", "A full `claude-...` id goes to Claude Code as it is.", README),
    Row("models.alias", "`--model-alias gpt-4o=sonnet` serves the foreign name, repeatable.", README),
    Row("models.unknown", "An unknown model is a 404 `model_not_found` that names what exists.", ERRORS),
    Row("models.default", "A chat without `model` gets the default model.", OURS),
)

CHAT_REQUIREMENTS = (
    Row("chat.completion", "Without `stream` the answer is one `chat.completion` object.", CHAT),
    Row("chat.completion.keys", "Each choice has `finish_reason`, `logprobs` and a `refusal` key.", CHAT),
    Row("chat.client.completion", "The official client reads a completion.", README),
    Row("chat.client.stream", "The official client reads a stream.", README),
    Row("chat.client.errors", "The official client raises its own exception type for each error.", README),
    Row("chat.messages.native", "Messages reach the model as their own turns, never flattened.", DESIGN),
    Row("chat.messages.system", "System and developer messages are the system prompt.", CHAT),
    Row("chat.messages.system.mid-conversation", "A later system message stays at its place, marked.", OURS),
    Row("chat.messages.user-text", "User text, a string or parts, arrives equal.", CHAT),
    Row("chat.messages.no-expansion", "`@path` and `/command` in a message are mere text.", MEASURED),
    Row("chat.messages.image.data", "An image as a data URI reaches the model as an image.", CHAT),
    Row("chat.messages.image.url", "An image by http(s) URL reaches the model as an image.", CHAT),
    Row("chat.messages.image.no-traces", "No image stays on disk or adds a path to the prompt.", MEASURED),
    Row("chat.messages.file.pdf", "A `file` with PDF data reaches the model as a document.", CHAT),
    Row("chat.messages.assistant", "Assistant text and refusals are the assistant's turns.", CHAT),
    Row("chat.messages.history", "A long history arrives whole, in order and with native roles.", DESIGN),
    Row("chat.messages.tools", "Tool calls and results in a history are native, foreign ids too.", CHAT),
    Row("chat.messages.parts-in-any-role", "Content parts are accepted in every role.", CHAT),
    Row("chat.messages.unknown-fields", "Unknown fields of a message are tolerated.", OURS),
    Row("chat.messages.blank", "A blank or empty message neither hangs nor invents words.", MEASURED),
    Row("chat.messages.consecutive", "Consecutive messages of one role all arrive, in order.", MEASURED),
    Row("chat.messages.trailing-assistant", "A history ending in an assistant message is decided.", MEASURED),
    Row("chat.messages.unsupported-part", "A part that cannot be carried is a 400 that names it.", DESIGN),
    Row("chat.reply.empty", "An empty answer is an empty string, never an invented sentence.", DESIGN),
    Row("chat.reply.first-only", "Hidden continuations by Claude Code never reach the client.", MEASURED),
    Row("chat.reply.unicode", "No character is lost, added or split, wherever deltas are cut.", OURS),
    Row("chat.reply.megabyte", "A megabyte of text arrives whole.", OURS),
    Row("chat.finish.stop", "A finished answer ends with `stop`.", CHAT),
    Row("chat.finish.length", "An answer cut by its token limit ends with `length`.", CHAT),
    Row("chat.finish.refusal", "A refusal ends with `content_filter` and a `refusal` text.", CHAT),
    Row("chat.reasoning-content", "Thinking is told as `reasoning_content`, streamed and whole.", OURS),
    Row("chat.reasoning-content.sent-back", "`reasoning_content` that a client sends back changes nothing.", OURS),
    Row("chat.thinking-is-not-text", "Thinking never appears in the answer's text.", OURS),
)

STREAM_REQUIREMENTS = (
    Row("stream.token-by-token", "As many text chunks go out as deltas came in, none held back.", OURS),
    Row("stream.role-in-first-delta-only", "The role is in the first delta and in no other.", STREAMING),
    Row("stream.one-finish", "`finish_reason` is null until one last chunk carries it.", STREAMING),
    Row("stream.constant-head", "`id`, `created` and `model` are the same in every chunk.", STREAMING),
    Row("stream.usage-chunk", "`include_usage` adds one chunk with usage and no choices.", STREAMING),
    Row("stream.no-usage-chunk", "Without `include_usage` no chunk carries usage.", STREAMING),
    Row("stream.done", "`data: [DONE]` ends a finished stream and nothing follows it.", STREAMING),
    Row("stream.keep-alive", "Comments keep a silent stream open, before the first token and later.", OURS),
    Row("stream.headers", "Content type, `cache-control` and `x-accel-buffering` suit a stream.", STREAMING),
    Row("stream.framing", "Any text survives the framing as server-sent events.", STREAMING),
    Row("stream.error-event", "After the first byte a failure is an error event, the last one.", STREAMING),
    Row("stream.error-event.no-done", "A failed stream has no finish reason and no `[DONE]`.", OURS),
    Row("stream.no-repeat", "What has been sent is never sent again by a retry upstream.", MEASURED),
)

USAGE_REQUIREMENTS = (
    Row("usage.tokens", "Prompt, completion and total are Claude Code's own numbers.", CHAT),
    Row("usage.cached", "`cached_tokens` is what was read from the cache.", CHAT),
    Row("usage.reasoning", "`reasoning_tokens` is what was spent on thinking.", CHAT),
    Row("usage.claude-object", "A `claude` object beside the usual keys gives cost and session id.", README),
)

PARAMETERS_REQUIREMENTS = (
    Row("params.max-tokens", "`max_tokens` and `max_completion_tokens` bound the answer upstream.", CHAT),
    Row("params.sampling", "`temperature` and `top_p` reach the model.", CHAT),
    Row("params.effort", "Reasoning effort reaches the model; a level it lacks is lowered, and that is told.", CHAT),
    Row("params.effort.none", "Effort `none` switches thinking off where the model allows that.", CHAT),
    Row("params.stop", "`stop`, one or several, reaches the model.", CHAT),
    Row("params.stop.white-space", "A stop sequence of white space ends the answer, wherever deltas are cut.", CHAT),
    Row("params.n", "`n` up to 8 gives as many choices; more is a 400 that names it.", CHAT),
    Row("params.n.interleaved", "A stream of several answers tells of each as it comes, under its index.", CHAT),
    Row("params.n.account", "The usage of several answers counts the prompt once, and all that was answered.", CHAT),
    Row(
        "params.n.queue", "Several answers take as many places, and come one after another where there are fewer.", OURS
    ),
    Row("params.n.fails-whole", "Where one of several answers fails, the request fails and the others end.", OURS),
    Row("params.n.sessions", "Of several answers the first keeps its session; the others are rebuilt from.", OURS),
    Row("params.n.runs", "Each of several answers is a run; the first has the id of the reply.", OURS),
    Row("params.user-and-metadata", "`user` and `metadata` are accepted.", CHAT),
    Row("params.out-of-range", "A value out of its range is a 400 that names the parameter.", CHAT),
    Row("params.refused", "A parameter that cannot be carried is a 400 that names it.", DESIGN),
    Row("params.ignored", "A parameter without effect is named in a header and the log.", DESIGN),
    Row("params.unknown", "An unknown parameter is treated as one without effect.", OURS),
    Row("params.strict", "`--strict-parameters` makes what would not be done as asked a 400 that names it.", OURS),
    Row("params.all-decided", "Every documented parameter is honoured, reported or refused.", DESIGN),
    Row("params.one-request-only", "No parameter of a request has effect on another.", OURS),
)

COMPLETIONS_REQUIREMENTS = (
    Row("completions.answer", "`POST /v1/completions` answers a prompt, whole and streamed.", COMPLETIONS),
    Row("completions.parameters", "Every parameter of a completion is carried, reported or refused.", COMPLETIONS),
    Row("completions.prompts", "Several prompts are answered each by itself, in one reply.", COMPLETIONS),
    Row("completions.clients", "The official client reads completions, whole and streamed.", COMPLETIONS),
)

TOOLS_REQUIREMENTS = (
    Row("tools.offered.native", "A request's tools are the model's, all of them, under their own names.", README),
    Row("tools.schemas.untouched", "A schema reaches the model as it was sent, whatever it uses of JSON Schema.", OURS),
    Row("tools.schemas.offline", "A reference in a schema to another document is never fetched.", DESIGN),
    Row("tools.many", "128 tools with names of 64 characters are offered; more are a 400.", CHAT),
    Row("tools.faulty", "A bad name, a name twice or an invalid schema is a 400 that names the tool.", CHAT),
    Row("tools.calls.answered", "Calls come as `tool_calls`, text before them as `content`.", CHAT),
    Row("tools.calls.streamed", "Streamed calls begin with index, id and name, and add up to those made.", STREAMING),
    Row("tools.calls.parallel", "Several calls of one message come together and in order.", CHAT),
    Row("tools.invalid.found", "Arguments are held against the whole schema: formats, nested fields, `$ref`.", DESIGN),
    Row("tools.invalid.mended", "A call that does not fit goes back to the model, never to the client.", DESIGN),
    Row("tools.invalid.bounded", "A call that is not mended in time is a 502 `invalid_tool_arguments`.", DESIGN),
    Row("tools.choice", "`tool_choice` in every form and `parallel_tool_calls` are upstream's.", CHAT),
    Row("tools.choice.unknown", "A choice of a tool that is not offered is a 400.", CHAT),
    Row("tools.choice.not-repeated", "A forced choice is not forced again after the result.", OURS),
    Row("tools.legacy", "`functions` and `function_call` are accepted and answered in kind.", CHAT),
    Row("tools.same-session", "A result goes on in the session that made the call, by native blocks.", DESIGN),
    Row("tools.cache-warm", "The request after a result reads from the prompt cache.", DESIGN),
    Row("tools.results.kinds", "A result is a string or parts, an image, empty, an error or a megabyte.", CHAT),
    Row("tools.results.any-order", "The results of parallel calls come in any order.", CHAT),
    Row("tools.results.with-user-message", "A user message may follow the results.", CHAT),
    Row("tools.results.missing", "A call without a result is a 400 that names its id.", CHAT),
    Row("tools.results.unknown", "A result for no call is a 400 that names its id.", CHAT),
    Row("tools.results.foreign-ids", "Ids that other servers made are mapped; ours stay.", OURS),
    Row("tools.results.without-tools", "Results are answered in a request without `tools`, too.", OURS),
    Row("tools.rebuilt", "Where no session waits, the same request is answered natively all the same.", DESIGN),
    Row("tools.parked.bounded", "A session waits no longer than `--tool-timeout`, then its process ends.", README),
    Row("tools.no-leak", "No result ever reaches a conversation that it is not of.", DESIGN),
    Row("tools.rounds", "Thirty rounds of an agent run on one process.", OURS),
    Row("tools.logged", "`sdk.structured_tool_call` and `openai.stream_tool_calls` are logged.", OURS),
    Row("tools.clients.openai", "The official client's own tool helpers work.", README),
    Row("tools.clients.langchain", "LangChain's `bind_tools` works in an agent loop.", README),
    Row("tools.clients.agents-sdk", "The OpenAI Agents SDK works on chat completions.", README),
)

ERRORS_REQUIREMENTS = (
    Row("errors.first-byte", "An upstream that does not begin to answer is given up.", README),
    Row("errors.envelope", "Every error is `{error: {message, type, param, code}}`.", ERRORS),
    Row("errors.invalid-json", "A body that is no JSON object is a 400.", ERRORS),
    Row("errors.wrong-type", "A wrong type is a 400 whose `param` leads to it.", ERRORS),
    Row("errors.no-messages", "Missing or empty `messages` is a 400 that names them.", ERRORS),
    Row("errors.body-too-large", "A body over the limit is a 413.", ERRORS),
    Row("errors.body-too-large.without-length", "So is one that comes chunked, without a length.", ERRORS),
    Row("errors.wrong-key", "A missing or wrong key is a 401.", ERRORS),
    Row("errors.upstream.status", "400, 401, 403, 404, 413 and 429 upstream keep their status.", ERRORS),
    Row("errors.upstream.quota", "No credit upstream is `insufficient_quota`.", ERRORS),
    Row("errors.upstream.context-length", "A prompt too long is `context_length_exceeded`.", ERRORS),
    Row("errors.upstream.failing", "500 upstream is a 502 and 529 a 503.", DESIGN),
    Row("errors.upstream.unreachable", "A refused connection is a 502.", DESIGN),
    Row("errors.upstream.silent", "An upstream that falls silent is a 504 within the bound.", DESIGN),
    Row("errors.upstream.cut", "A cut or malformed upstream stream is an error, never an end.", MEASURED),
    Row("errors.logged-out", "Without a login the answer is a 401 with the command that mends it.", OURS),
    Row("errors.process-died", "A Claude Code that dies is an error to its one client only.", DESIGN),
    Row("errors.status-before-first-byte", "Before the first byte the status tells the truth.", DESIGN),
    Row("errors.never-an-answer", "No error text of Claude Code is passed on as an answer.", MEASURED),
    Row("errors.bounded-retries", "A lasting failure upstream answers within seconds.", OURS),
    Row("errors.own-fault", "A fault of our own is a 500 that tells nothing of the inside.", OURS),
)

LIFETIME_REQUIREMENTS = (
    Row("lifetime.client-gone", "A client that goes away ends its turn upstream within a second.", DESIGN),
    Row("lifetime.client-gone.no-process", "A client that goes away leaves no process.", DESIGN),
    Row("lifetime.turn-over.no-traces", "A conversation that is over leaves no process and no file.", DESIGN),
    Row("lifetime.killed-server.sweep", "What a killed server left is gone at the next start.", DESIGN),
    Row("lifetime.killed-server.foreign-untouched", "What is not surely ours is never removed or signalled.", DESIGN),
    Row("lifetime.timeout", "A turn over `--request-timeout` ends, and says so.", DESIGN),
    Row("lifetime.stop.drains", "SIGINT and SIGTERM let running turns finish for a bounded time.", OURS),
    Row("lifetime.stop.ends-everything", "A stopped server leaves no process.", DESIGN),
    Row("lifetime.killed", "A server that is killed outright leaves no process.", OURS),
    Row("lifetime.group", "A child's whole process group ends with it.", DESIGN),
    Row("lifetime.stubborn-child", "A child that ignores being asked is killed within a bound.", DESIGN),
)

SAFETY_REQUIREMENTS = (
    Row("safety.loopback", "The server binds to loopback unless told.", DESIGN),
    Row("safety.no-open-bind", "A non-loopback `--host` without a key is refused.", DESIGN),
    Row("safety.host-header", "A foreign Host header is refused.", DESIGN),
    Row("safety.origin", "A foreign Origin is refused; CORS headers are sent to allowed ones only.", DESIGN),
    Row("safety.key.accepted", "A key is accepted as Bearer or `x-api-key`.", OURS),
    Row("safety.key.constant-time", "All keys are compared in constant time.", DESIGN),
    Row("safety.chat.no-tools", "In the chat profile the model is offered no tool.", DESIGN),
    Row("safety.chat.no-user-config", "CLAUDE.md, settings, hooks and MCP servers do not load.", DESIGN),
    Row("safety.chat.no-compaction", "No history is compacted or model changed behind one's back.", MEASURED),
    Row("safety.chat.own-directory", "Claude Code runs in an empty directory that goes with it.", OURS),
    Row("safety.environment", "Only the login's and the proxies' variables reach Claude Code.", README),
    Row("safety.environment.unchanged", "The server's own environment is never changed.", DESIGN),
    Row("safety.argv", "No system prompt, message or key stands in a command line.", MEASURED),
    Row("safety.logs", "No key and no secret is ever logged.", DESIGN),
)

CONVERSATIONS_REQUIREMENTS = (
    Row("conversations.live", "A history that a session has is answered there: only what is new is sent.", DESIGN),
    Row("conversations.exact", "Any other history is rebuilt: edits, branches, other tools, models, keys.", DESIGN),
    Row(
        "conversations.lawful",
        "What a client may write differently in a history does not keep it from matching.",
        DESIGN,
    ),
    Row("conversations.race", "Of two requests for one session one goes on, the other is rebuilt.", DESIGN),
    Row("conversations.settings-anew", "Sampling and choice of tools may change from turn to turn.", DESIGN),
    Row("conversations.bounded", "An idle session ends after `--session-ttl`.", README),
    Row("conversations.clients", "Turns 2 to 5 of stock clients go on in their session.", DESIGN),
    Row(
        "conversations.caching",
        "Across turns the upstream request keeps its prefix, and cached tokens are told.",
        DESIGN,
    ),
    Row("conversations.told", "Ways, rebuilds and their reasons are in `/health` and the log.", README),
    Row("conversations.state-machine", "No order of events leaves a call unanswered or a session unowned.", DESIGN),
)

PROCESSES_REQUIREMENTS = (
    Row("processes.warm", "A new conversation takes a process that waits, and another is started.", README),
    Row("processes.warm.secret", "Instructions and tools of any length get there, and none shows in `ps`.", DESIGN),
    Row("processes.bounded", "There are never more than `--max-processes`.", README),
    Row("processes.eviction", "The least recently used make room, then those parked longest.", README),
    Row("processes.worn", "A process is replaced after so many answers or above a size, between turns.", README),
    Row("processes.died", "A process that dies hurts at most the request it serves.", DESIGN),
    Row("processes.hang", "One that hangs at its start is given up, and the request served by another.", DESIGN),
    Row("processes.trouble", "After three failed starts in a row there is a pause, and `/health` says so.", DESIGN),
    Row("processes.state-machine", "No order of starts, failures and ends loses a process or starts too many.", DESIGN),
)

ADMISSION_REQUIREMENTS = (
    Row(
        "admission.bounded",
        "No more turns run at once than `--max-concurrency`; each one's end frees its place.",
        README,
    ),
    Row("admission.fair", "Keys take turns in the queue, and within one key it is first in, first out.", README),
    Row("admission.queue-full", "A full queue refuses at once with `queue_full` and a `Retry-After`.", README),
    Row("admission.queue-timeout", "A wait longer than `--queue-timeout` ends with `queue_timeout`.", README),
    Row("admission.left", "A waiting client that leaves frees its place at once.", README),
    Row("admission.closed", "A stopping server lets nobody in from the queue.", OURS),
    Row("admission.logged", "A wait is logged with its position, its length and how it ended.", OURS),
    Row("admission.state-machine", "No order of events breaks a bound, loses a request or passes a key over.", DESIGN),
)

RATE_LIMIT_REQUIREMENTS = (
    Row("ratelimit.headers", "What Claude Code reports of the rate limit is in `x-ratelimit-*` headers.", MEASURED),
    Row("ratelimit.retry-after", "A 429 for a used-up window carries `Retry-After` up to its reset.", MEASURED),
    Row("ratelimit.nothing-invented", "No header stands for what was not reported, and no invented number.", OURS),
)

START_REQUIREMENTS = (
    Row("start.banner", "The banner gives URL, backend, model, key and login, on standard error.", OURS),
    Row("start.logged-out", "A missing login is a warning at start with the command that mends it.", OURS),
    Row("start.busy-port", "A busy port is one clear sentence and a non-zero exit code.", OURS),
    Row("start.bad-option", "A bad option is one clear sentence and a non-zero exit code.", OURS),
    Row("start.missing-cli", "A missing CLI is one clear sentence and a non-zero exit code.", OURS),
    Row("start.login-kinds", "Each kind of login is told by its name, one that `/login` has stored too.", MEASURED),
    Row("start.exit-codes", "Whatever ends a command is one sentence and a documented exit code.", OURS),
)

SOAK_REQUIREMENTS = (
    Row("soak.short", "A shorter soak runs in the suite and finds nothing.", DESIGN),
    Row("soak.strict", "A soak fails on a leak, a wrong answer or anything left, and says which.", OURS),
)

LOGS_REQUIREMENTS = (
    Row("logs.events", "Logs are events with fields, JSON lines on standard output or in a file.", OURS),
    Row("logs.request-id", "Every event logged for a request names that request.", OURS),
    Row("logs.libraries", "What libraries log comes out the same way.", OURS),
    Row("logs.levels", "Each level shows what is more important too, and nothing else.", OURS),
    Row("logs.debug", "`--debug` tells people warnings, errors and tracebacks on standard error, too.", OURS),
    Row("logs.file", "A log file and its folders are its owner's only.", DESIGN),
    Row("logs.rotation", "A full file is put aside, three are kept, and no line is lost or split.", OURS),
    Row("logs.never-hurts", "A full disk, a closed or unread pipe hurts no request; what was lost is told.", DESIGN),
    Row("logs.flush", "What waits is written at the end, within a bound.", OURS),
    Row("logs.no-payload", "`info` has nothing of what was said.", DESIGN),
    Row("logs.payload", "`debug` has each request as sent, what became of it, and each answer.", OURS),
    Row("logs.trace", "A trace has every message of Claude Code and what it was started with.", OURS),
    Row("logs.cheap", "Below `trace` nothing is made for each token.", OURS),
    Row("logs.stdout", "Standard output has nothing but the log; the banner is on standard error.", OURS),
    Row("logs.format", "On a terminal the log is columns, else NDJSON.", OURS),
    Row("logs.off", "Switched off, by any usual word, it says nothing.", OURS),
    Row("logs.documented", "`docs/logs.md` has every event with its levels.", OURS),
)

SETTINGS_REQUIREMENTS = (
    Row("settings.precedence", "Flags beat environment beats file beats defaults.", README),
    Row("settings.defaults", "The defaults are the ones documented.", README),
    Row("settings.frozen", "Settings cannot be changed once read.", DESIGN),
    Row("settings.environment-names", "Each setting is read under each of its documented names.", README),
    Row("settings.file", "An optional TOML file sets any of them; an unknown key there is an error.", README),
    Row("settings.help", "`--help` lists every flag with its variable and default.", README),
    Row("settings.keys", "Several API keys are accepted at once.", README),
    Row("settings.key-file", "`--api-key-file` keeps keys out of `ps`.", README),
    Row("settings.keys-hidden", "No representation of the settings shows a key.", OURS),
    Row("settings.claude-command", "`--claude-command` replaces the bundled CLI.", README),
    Row("settings.base-url", "`ANTHROPIC_BASE_URL=... claude-openai` reaches that upstream.", README),
)

RESPONSES_REQUIREMENTS = (
    Row(
        "responses.input.text", "Text as input is what the user says; `instructions` are the system prompt.", RESPONSES
    ),
    Row("responses.input.items", "Input items become native messages, calls and results.", RESPONSES),
    Row("responses.input.content", "Images and PDF files in items are native blocks.", RESPONSES),
    Row("responses.input.refused", "What cannot be carried is a 400 that names it.", DESIGN),
    Row("responses.tools", "Functions, and every choice among them, are carried.", RESPONSES),
    Row("responses.parameters", "Each field is carried, reported or refused, by one table.", DESIGN),
    Row("responses.agent", "The agent profile is chosen and shown as in chat completions.", OURS),
    Row("responses.echo", "A response tells back what was asked for, as OpenAI's does.", RESPONSES),
    Row("responses.compliance", "The compliance cases of the Open Responses specification pass.", OPEN_RESPONSES),
    Row("responses.continued", "`previous_response_id` goes on from a stored response.", RESPONSES),
    Row("responses.references", "An item of a stored response can be named in place of being sent.", RESPONSES),
    Row("responses.stored", "A stored response can be fetched, listed and forgotten, by its own key only.", RESPONSES),
    Row("responses.not-stored", "`store: false` keeps nothing to come back to.", RESPONSES),
    Row("responses.cancel", "A response that is being answered can be ended.", RESPONSES),
    Row("responses.status", "A failure before anything was said has its status; what is not as asked is told.", OURS),
    Row("responses.live", "`previous_response_id` goes on in the session that gave that response.", DESIGN),
    Row("responses.clients", "Recorded requests of real clients are understood.", OURS),
    Row("responses.stream.events", "A stream's events are those of OpenAI, as its own package reads them.", RESPONSES),
    Row("responses.stream.numbers", "Events are numbered without a gap; the last has the whole response.", RESPONSES),
    Row("responses.stream.items", "Each item is begun once, and complete before the next begins.", RESPONSES),
    Row("responses.one-pipeline", "The stream's pieces add up to the response.", DESIGN),
    Row("responses.incomplete", "An answer that was cut is `incomplete` and says why.", RESPONSES),
    Row("responses.refusal", "A refusal is a part of its own kind.", RESPONSES),
    Row("responses.failed", "A failure after the beginning is `response.failed` with its reason.", RESPONSES),
    Row("responses.usage", "Usage is Claude Code's own, in the fields of a response.", RESPONSES),
    Row("responses.reasoning.hidden", "Thinking is told only where it was asked for.", RESPONSES),
)

AGENT_REQUIREMENTS = (
    Row("agent.chosen.by-request", "A `claude` object chooses the profile; its `mode` wins over everything.", DESIGN),
    Row("agent.chosen.by-model", "Every model name exists once more with `-agent`, aliases and full ids too.", DESIGN),
    Row("agent.chosen.by-default", "`--default-mode agent` chooses it for requests that choose nothing.", DESIGN),
    Row("agent.request.fields", "Every field of `claude` reaches Claude Code; what chat ignores is reported.", DESIGN),
    Row("agent.request.unknown", "An unknown or senseless field is a 400 that names it.", OURS),
    Row("agent.refused", "What is not allowed is a 403 that names what is.", DESIGN),
    Row("agent.workspace.prefixes", "Only folders in or under an allowed one are taken, by whole names.", DESIGN),
    Row("agent.workspace.links", "Links count for where they lead, each time.", DESIGN),
    Row("agent.workspace.default", "Without a folder the work is in the first allowed one.", OURS),
    Row("agent.workspace.every-use", "The folder is checked again before a start and before going on.", DESIGN),
    Row("agent.as-it-is", "Claude Code has its own prompt and tools, then the client's words.", DESIGN),
    Row("agent.settings.none", "Nobody's settings load unasked, and none takes anything from the fence.", OURS),
    Row("agent.modes", "Each permission mode does what the table says.", MEASURED),
    Row("agent.asks-nobody", "What would ask a person is refused, logged, and told to the model.", DESIGN),
    Row("agent.fence.paths", "No path or pattern of a file tool leads out.", DESIGN),
    Row("agent.fence.every-tool", "In no mode does a file tool or Bash reach what is outside.", DESIGN),
    Row("agent.fence.commands", "Commands run in the sandbox only; without one there are none.", OURS),
    Row("agent.fence.control-files", "File tools do not write what decides which commands run.", OURS),
    Row("agent.fence.unknown-tools", "A tool that is not known is refused.", OURS),
    Row("agent.fence.sub-agents", "Sub-agents are held by the same fence.", OURS),
    Row("agent.fence.first-moment", "The fence is known before the first tool runs.", MEASURED),
    Row("agent.secrets", "What signs in is neither read nor in a command's environment.", OURS),
    Row("agent.fence.readings", "A path that could be read otherwise than it looks is refused.", MEASURED),
    Row("agent.bounds.logins", "What signs in is out of bounds in an allowed home, before it is there.", OURS),
    Row("agent.bounds.run", "What shells, the system or this server run by themselves is not written.", MEASURED),
    Row("agent.bounds.own", "The server's log, keys and runs, and private paths, are out of bounds.", OURS),
    Row("agent.bounds.git", "Claude Code's own git runs nothing that a repository brings.", MEASURED),
    Row("agent.settings.sources", "A project's settings load only where the server says so.", OURS),
    Row("agent.sandbox.probe", "The sandbox is tried beside other work, and again where no answer came.", OURS),
    Row("agent.web.inside", "WebFetch asks hosts of the open Internet only.", OURS),
    Row("agent.answer", "The text of all messages is one answer, set apart.", OURS),
    Row("agent.usage", "Usage is added up over the requests.", OURS),
    Row("agent.limits", "A limit ends the answer as `length` and says which, without words.", OURS),
    Row("agent.failures", "A failure in the midst of the work is told as what it is, and hurts nobody else.", OURS),
    Row("agent.sub-agents", "A sub-agent's words are no part of the answer.", OURS),
    Row("agent.tools.client", "The client's tools work beside Claude Code's own, under their own names.", DESIGN),
    Row("agent.tools.choice", "A call cannot be forced beside own tools.", OURS),
    Row("agent.sessions.exact", "All of the profile counts for going on in a session.", DESIGN),
    Row("agent.sessions.live", "An agent's conversation goes on in its running session.", DESIGN),
    Row("agent.sessions.parked", "A session parked on the client's calls goes on with their results.", DESIGN),
    Row("agent.sessions.rebuilt", "A lost session is rebuilt, behind the fence.", DESIGN),
    Row("agent.activity.events", "Activity is told as named events that OpenAI's clients survive.", OURS),
    Row("agent.activity.reasoning", "Activity is told as `reasoning_content`.", OURS),
    Row("agent.activity.never-mixed", "Activity never changes the answer's text.", DESIGN),
)

COMMANDS_REQUIREMENTS = (
    Row("background.ready", "--background returns when the server is ready, and tells how to see and stop it.", OURS),
    Row("background.detached", "The server has a session of its own and no terminal.", OURS),
    Row("background.secrets", "A key in the environment is in no list of processes.", OURS),
    Row("background.log", "Its log is a private file in the data folder.", OURS),
    Row("background.taken", "A second server on a port is refused, naming status and stop.", OURS),
    Row("background.side-by-side", "Servers on different ports run side by side.", OURS),
    Row("background.fails", "A server that cannot start says why, or shows the last lines of its log.", OURS),
    Row("background.interrupted", "Ctrl-C while waiting ends what was started.", OURS),
    Row("status.tells", "Each server has a block with URL, process, version, uptime, runs and processes.", OURS),
    Row("status.json", "--json has the same for programs.", OURS),
    Row("status.hung", "A server that does not answer in 3 seconds is told as such.", OURS),
    Row("status.none", "Where none runs, the exit code is 1.", OURS),
    Row("stop.graceful", "stop ends a server and returns when it is gone.", OURS),
    Row("stop.several", "Of several servers one must be named, or --all.", OURS),
    Row("stop.none", "Nothing to stop is exit code 1.", OURS),
    Row("stop.bounded", "stop gives up after the time the server may take, and says so.", OURS),
    Row("stop.force", "--force ends a hung server with all it started.", OURS),
    Row("instances.files", "A server is known by private files from ready to its end, also on SIGTERM.", OURS),
    Row("instances.stale", "A stale or foreign pid is neither listed nor signalled; the next start removes it.", OURS),
    Row("instances.private", "A folder that is not this user's alone is refused.", OURS),
    Row("instances.users", "Two users have two folders and do not see each other's servers.", OURS),
    Row("instances.lock", "Two servers cannot be known by one port.", OURS),
    Row("service.systemd", "systemd finds no fault with the unit.", OURS),
    Row("service.launchd", "The launchd agent runs the command with the secrets file's variables.", OURS),
    Row("service.print", "--print prints the file and does nothing.", OURS),
    Row("service.install", "install writes it, starts it and tells what it ran, or which commands to run.", OURS),
    Row("service.uninstall", "uninstall stops and removes it.", OURS),
    Row("service.status", "status tells whether it is installed and runs.", OURS),
    Row("service.secrets", "The secrets file is 0600 and kept.", OURS),
    Row("connect.lists", "connect lists the clients it knows, with the file it can write.", OURS),
    Row("connect.prints", "connect CLIENT prints what it needs for the server that runs or is named.", OURS),
    Row("connect.key", "A key is named by its variable, and printed only with --show-key.", OURS),
    Row("connect.writes", "--write puts it where the client looks, and loses nothing that is there.", OURS),
    Row("connect.refuses", "What cannot be joined is left as it is, with the reason.", OURS),
    Row("connect.page", "docs/clients.md has what connect prints.", OURS),
    Row("clients.pinned", "Each client that is tried has one version, and a lock without addresses.", OURS),
    Row("clients.page", "docs/clients.md has a row for each client, and each recipe is tried.", OURS),
    Row("clients.checks", "What is wrong with what a client returned, or sent, is found.", OURS),
    Row("clients.matrix", "The table has what came of each capability of each client.", OURS),
    Row("terminal.colours", "Colours only on a terminal; NO_COLOR is honoured.", OURS),
    Row("terminal.progress", "What takes longer than a second says so on a terminal, and leaves nothing.", OURS),
    Row("terminal.harmless", "What somebody sent cannot speak to the terminal.", OURS),
    Row("commands.help", "Every command is in the help and has examples.", OURS),
    Row("commands.client.key", "A missing or wrong key is told with the remedy.", OURS),
    Row("commands.client.no-proxy", "The environment's proxies do not see what is said on this machine.", OURS),
    Row("commands.client.no-redirect", "The key is not carried to where a server redirects.", OURS),
    Row("commands.client.strange", "An answer that is no run is told as such.", OURS),
    Row("commands.client.which", "A named server must run; of several, one must be named.", OURS),
    Row("commands.ids.prefix", "A unique beginning of a run's, answer's or request's id is enough.", OURS),
    Row("commands.ids.ambiguous", "An id that is too short lists what it could be.", OURS),
    Row("commands.runs.table", "The latest runs fit the terminal, with every figure whole.", OURS),
    Row("commands.runs.json", "Programs get one array with all that is known.", OURS),
    Row("commands.runs.filter", "Runs can be chosen by state and number.", OURS),
    Row("commands.runs.figures", "Durations, ages, tokens and costs are short and of one form.", OURS),
    Row("commands.runs.short-ids", "Ids are shortened as far as they stay unique in the list.", OURS),
    Row("commands.runs.store", "Where no server runs, the store is read, and that is said.", OURS),
    Row("commands.tail.text", "Text goes into a file as it is, and cannot harm a terminal.", OURS),
    Row("commands.tail.calls", "Each tool call is marked on a line of its own.", OURS),
    Row("commands.tail.activity", "What Claude Code does itself is marked; of its results only failures show.", OURS),
    Row("commands.tail.end", "A last line on standard error tells state, tokens, cost and time.", OURS),
    Row("commands.tail.replay", "A run that is over is replayed.", OURS),
    Row("commands.tail.follow", "A live run is shown as it is said, until it is over.", OURS),
    Row("commands.tail.interrupted", "Ctrl-C ends the looking and not the run, with 130.", OURS),
    Row("commands.tail.broken", "A stream that breaks off is told after what was said.", OURS),
    Row("commands.tail.store", "Without a server a run is replayed from the store.", OURS),
    Row("commands.cancel.ends", "A cancelled run ends, and its client gets `run_cancelled`.", OURS),
    Row("commands.cancel.over", "What cannot be cancelled is told each by itself, with exit code 1.", OURS),
    Row("commands.logs.pretty", "Events are columns; lines that are none stay as they are.", OURS),
    Row("commands.logs.filter", "Events can be picked by level, run and name.", OURS),
    Row("commands.logs.follow", "A file is followed by whole lines, across rotation and truncation.", OURS),
    Row("commands.logs.file", "A named file is shown.", OURS),
    Row("commands.logs.last", "`-n` shows the last lines of those picked.", OURS),
    Row("commands.logs.stdin", "What is piped in is shown.", OURS),
    Row("commands.logs.which", "The log is the running server's, or the last one's; none is told.", OURS),
    Row("commands.doctor.lines", "Each check is a line with its remedy.", OURS),
    Row("commands.doctor.python", "A Python that is too old fails.", OURS),
    Row("commands.doctor.port", "A port is free, ours, or somebody's.", OURS),
    Row("commands.doctor.folders", "A folder or file that others can read is told.", OURS),
    Row("commands.doctor.self-test", "The real Claude Code answers a request with a simulated model.", OURS),
    Row("commands.doctor.live", "`--live` asks the real model once, with the user's login.", OURS),
    Row("commands.doctor.logged-out", "A missing login fails with its remedy.", OURS),
    Row("commands.doctor.fails", "What fails gives exit code 1.", OURS),
    Row("commands.doctor.json", "Programs get the checks as JSON.", OURS),
    Row("commands.doctor.secrets", "No secret is told.", OURS),
    Row("commands.doctor.interrupted", "Ctrl-C ends it and all it started.", OURS),
    Row("commands.config.origins", "Each setting has its value and its place.", OURS),
    Row("commands.config.secrets", "No key is shown.", OURS),
    Row("commands.config.json", "Programs get values as they are.", OURS),
    Row("commands.completion.scripts", "Each shell has a script that says how to install it.", OURS),
    Row("commands.completion.bash", "Bash completes commands and options with it.", OURS),
)

CLI_BACKEND_REQUIREMENTS = (
    Row("cli.same-behaviour", "Over the claude command answers, usage and failures are the SDK backend's.", DESIGN),
    Row("cli.same-words", "Claude Code's messages mean the same, read here or by the SDK.", DESIGN),
    Row("cli.refused", "Tools are a 400 that names the parameter and `--backend sdk`.", DESIGN),
    Row("cli.timeout", "An answer over `--process-timeout-ms` is given up; its failure names the setting.", DESIGN),
    Row("cli.failures", "A command that does not start or dies is a failure, with its complaint in the log.", DESIGN),
    Row("cli.describe", "A command that cannot say what it is is named with the reason.", OURS),
    Row("cli.executable", "The command is the one on PATH, else the SDK's own.", OURS),
    Row("cli.output.kept", "What Claude Code wrote is in the run's folder, 0700 and 0600.", DESIGN),
    Row("cli.output.harmless", "Where output cannot be kept, that is logged and no answer suffers.", OURS),
    Row("cli.output.forgotten", "Only folders of runs older than the retention are removed, at the start.", OURS),
)

RUNS_REQUIREMENTS = (
    Row("runs.states", "A run goes through lawful states only; once it has ended, only letting go changes it.", DESIGN),
    Row("runs.recorded", "Each request is on record: who asked, when, which way, how much, what was said.", DESIGN),
    Row("runs.client-left", "A client that leaves has cancelled its run.", OURS),
    Row("runs.parked", "A run answered with calls is parked until its session goes on or ends.", DESIGN),
    Row("runs.cancel", "A run that is not over can be ended at any moment, and its client is told so.", DESIGN),
    Row("runs.cancel.upstream", "Cancelling closes the upstream connection and leaves no process.", DESIGN),
    Row("runs.follow", "A follower is told what was said and then what is, and holds nobody up.", DESIGN),
    Row("runs.list", "Runs are listed latest first, by number and state.", DESIGN),
    Row("runs.ids", "A run goes by the beginning of its own, its answer's or its request's id.", DESIGN),
    Row("runs.principals", "A key sees and ends its own runs only.", DESIGN),
    Row("runs.store-never-hurts", "A store that keeps nothing changes nothing for a request.", DESIGN),
    Row("runs.log", "Whatever is logged of a run names it.", DESIGN),
)

STORE_REQUIREMENTS = (
    Row("store.runs.whole", "A run comes back as it was saved; half a character is mended.", OURS),
    Row("store.runs.at-once", "A run is seen as soon as it is saved, and leaving writes what waits.", OURS),
    Row("store.runs.found", "A unique beginning of a run's, answer's or request's id finds it.", OURS),
    Row("store.runs.own", "Looked up for a key, the runs of other keys are not there.", DESIGN),
    Row("store.runs.latest", "Runs are listed latest first, by state and number where asked.", OURS),
    Row("store.memory.bounded", "The store in memory forgets what came first.", OURS),
    Row("store.disk.private", "Folder 0700, files 0600; tightened where looser, refused where shared.", DESIGN),
    Row("store.migrations", "A store of an earlier schema is brought to the newest with all that is in it.", DESIGN),
    Row("store.newer", "A store of a newer schema is refused with a remedy and not touched.", OURS),
    Row("store.damaged", "A damaged or foreign file is refused with a remedy and not touched.", OURS),
    Row("store.crash.whole", "A server killed at any moment leaves a whole store.", DESIGN),
    Row("store.crash.nothing-running", "No run of a dead server is running.", DESIGN),
    Row("store.shared", "Several servers share one store and lose nothing.", OURS),
    Row("store.trouble.goes-on", "A full disk, a lock or a broken file is told once and hurts no request.", DESIGN),
    Row("store.retention.age", "Runs that are too old are forgotten.", OURS),
    Row("store.retention.size", "Above the size the oldest runs are forgotten, and the file shrinks.", OURS),
    Row("store.reading.leaves-nothing", "A command that reads the store makes and changes no file.", OURS),
    Row("store.reading.truthful", "A command sees what is written, and dead servers' runs as over.", OURS),
)

DOCKER_REQUIREMENTS = (
    Row("docker.not-root", "The container's server runs as a fixed user that is not root.", OURS),
    Row("docker.pinned", "The image's base has a version and every package is checked by hash.", OURS),
    Row("docker.context", "The builder gets all that the image is built from and nothing else.", OURS),
    Row("docker.settings", "Every variable of the image and of Compose is a setting or a login.", OURS),
    Row("docker.key", "Nothing starts without a key, and a sentence says so.", OURS),
    Row("docker.health", "The container is healthy as long as its server can answer.", OURS),
    Row("docker.stop", "A stopped container ends its requests before Docker would kill it.", OURS),
    Row("docker.loopback", "Compose publishes on the loopback address only.", OURS),
    Row("docker.workspace", "The agent profile may use the mounted workspace and nothing else.", OURS),
    Row("docker.login", "The user's login is mounted, and its folders are never made as root's.", OURS),
    Row("docker.confined", "The container has a read-only root, no capabilities, and can gain none.", OURS),
    Row("docker.runs", "Runs outlive the container.", OURS),
)

FORMAT_REQUIREMENTS = (
    Row("format.fits", "An answer with a schema is one JSON text that fits it, and `parse()` reads it.", CHAT),
    Row("format.every-schema", "A schema reaches the model whole, whatever Claude Code knows of its keywords.", OURS),
    Row("format.object", "`json_object` is answered with a JSON object.", CHAT),
    Row("format.streamed", "It streams as content, as the model writes it.", CHAT),
    Row("format.mended", "What does not fit goes back to the model, and is no part of the answer.", OURS),
    Row("format.unfit", "What does not fit in the end, or was streamed, is an error with a code.", OURS),
    Row("format.cut", "An answer that is cut or refused is told as such.", CHAT),
    Row("format.live", "With the same form a conversation goes on in its session.", DESIGN),
    Row("format.tools", "The client's tools work beside a form.", OURS),
    Row("format.agent", "The agent profile answers in a form, too.", OURS),
    Row("format.cli", "So does the CLI backend.", OURS),
    Row("format.responses", "Responses have the same forms.", RESPONSES),
    Row("format.refused", "A schema that Claude does not take is a 400 that names it.", OURS),
)

HOSTILE_REQUIREMENTS = (
    Row("hostile.bodies", "A body that is no request is a 400 or 415 in OpenAI's envelope.", OURS),
    Row("hostile.texts", "No text in any place of a request is a mistake of the server's.", OURS),
    Row("hostile.large", "A body over the limit is cut there; as many messages as fit are answered.", OURS),
    Row("hostile.fuzz", "Requests made by chance are answered, or refused as OpenAI would.", OURS),
    Row("hostile.described", "Every answer is one that our own OpenAPI description has.", OURS),
    Row("hostile.not-http", "What is no HTTP gets an error like any other, and others do not notice.", OURS),
    Row("hostile.pipelined", "Pipelined requests are answered one after another.", OURS),
    Row("hostile.idle", "Connections that say nothing keep nobody from being answered.", OURS),
    Row("hostile.slow", "Who takes for ever to send a request is let go.", OURS),
)

REQUIREMENTS: tuple[Row, ...] = (
    *PROJECT_REQUIREMENTS,
    *CORE_REQUIREMENTS,
    *SIMULATOR_REQUIREMENTS,
    *SIMULATE_REQUIREMENTS,
    *HTTP_REQUIREMENTS,
    *MODELS_REQUIREMENTS,
    *CHAT_REQUIREMENTS,
    *STREAM_REQUIREMENTS,
    *USAGE_REQUIREMENTS,
    *PARAMETERS_REQUIREMENTS,
    *COMPLETIONS_REQUIREMENTS,
    *TOOLS_REQUIREMENTS,
    *ERRORS_REQUIREMENTS,
    *LIFETIME_REQUIREMENTS,
    *SAFETY_REQUIREMENTS,
    *CONVERSATIONS_REQUIREMENTS,
    *PROCESSES_REQUIREMENTS,
    *ADMISSION_REQUIREMENTS,
    *RATE_LIMIT_REQUIREMENTS,
    *START_REQUIREMENTS,
    *SOAK_REQUIREMENTS,
    *LOGS_REQUIREMENTS,
    *SETTINGS_REQUIREMENTS,
    *RESPONSES_REQUIREMENTS,
    *AGENT_REQUIREMENTS,
    *COMMANDS_REQUIREMENTS,
    *CLI_BACKEND_REQUIREMENTS,
    *RUNS_REQUIREMENTS,
    *STORE_REQUIREMENTS,
    *DOCKER_REQUIREMENTS,
    *FORMAT_REQUIREMENTS,
    *HOSTILE_REQUIREMENTS,
)
