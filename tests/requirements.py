"""What this program promises to its users: a row for each promise that a user can check, under the page that states it.

Tests name the rows that they prove: `@pytest.mark.proves("stream.done")`, on a test, on a class or (as `pytestmark`) on
a module, each id written out. `test_requirements.py` fails on a row without a test, on a mark without a row, and on a
page or heading that does not exist. CONTRIBUTING.md says what earns a row.

An id reads `area.subject`, with further parts for the cases of a subject, each part in kebab-case. The text is one
sentence, in the words of the page.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    text: str
    page: str


PROMISES: Final = {
    "https://platform.openai.com/docs/api-reference/chat-streaming": {
        "stream.chunks": "The role is in the first chunk only, `finish_reason` in the last, `id`, `created` and `model` in all.",
        "stream.usage-chunk": "`include_usage` adds one chunk with usage and no choices; without it no chunk has usage.",
    },
    "https://platform.openai.com/docs/api-reference/chat/create": {
        "chat.completion": "Without `stream` the answer is one `chat.completion` object with every key.",
        "chat.finish": "`finish_reason` is `stop` at the end, `length` at the token limit.",
    },
    "https://platform.openai.com/docs/api-reference/models": {
        "models.list": "`GET /v1/models` lists Claude Code's models once each, and `/v1/models/{id}` gives one by any of its names.",
    },
    "https://platform.openai.com/docs/api-reference/responses/object": {
        "responses.incomplete": "A cut answer is `incomplete` with its reason; a refusal is a part of its own kind.",
        "responses.usage": "Usage is Claude Code's own; thinking is shown only where it was asked for.",
    },
    "README.md#ask": {
        "project.docs.examples-run": "Every example of the README and of the first ten minutes runs as written.",
    },
    "docs/guide/agent.md#the-agent-profile-claude-code-at-work-in-a-folder": {
        "agent.as-it-is": "Claude Code has its own prompt and tools, then the client's words.",
    },
    "docs/guide/agent.md#choosing-it": {
        "agent.chosen": "The `claude` object, a model name with `-agent` or `--default-mode` chooses the profile, in this order.",
    },
    "docs/guide/agent.md#the-claude-object": {
        "agent.request": "Every field of `claude` reaches Claude Code; an unknown or senseless one is a 400 that names it.",
    },
    "docs/guide/agent.md#what-is-allowed": {
        "agent.refused": "What is not allowed is a 403 that names what is.",
        "agent.workspace": "Work is in allowed folders only, links followed, checked with each use; the first is the default.",
        "agent.workspace.git-directories": "No folder in a git directory, in `.vscode` or the like is taken, unless the server allows it.",
        "agent.settings.sources": "Nobody's settings load unasked, a project's only where the server allows it.",
        "agent.settings.widening": "No settings of the user open anything: what would widen the fence, run programs or reach commands is refused.",
        "agent.modes": "Each permission mode does what the table shows; a superuser's `bypassPermissions` is a 403.",
        "agent.asks-nobody": "What would ask a person is refused, logged, and reported to the model.",
        "agent.commands.network": "No permission mode and no settings give a command the network.",
    },
    "docs/guide/agent.md#the-fence": {
        "agent.fence.paths": "No path or pattern of a file tool leads out, however it is spelt.",
        "agent.fence.every-tool": "In no mode, and from the first moment, does a tool, a sub-agent's too, reach what is outside.",
        "agent.secrets": "What signs in is neither read nor in a command's environment.",
    },
    "docs/guide/agent.md#what-is-out-of-bounds-in-an-allowed-folder": {
        "agent.bounds.logins": "What signs in is out of bounds in an allowed home, before it is there.",
        "agent.bounds.run": "What shells, editors, git, the system or this server run by themselves is not written.",
        "agent.bounds.own": "The server's log, keys, runs and whatever it reads again, and private paths, are out of bounds.",
        "agent.bounds.place": "Temporary files lie in no folder of agents; otherwise there is no start, or no agent.",
        "agent.commands.control-files": "Commands make or change nothing that is obeyed where the work is.",
    },
    "docs/guide/agent.md#where-it-ends": {
        "agent.fence.commands": "Commands run in the sandbox only; without one there are none.",
        "agent.bounds.git": "Claude Code's own git runs nothing that a repository brings.",
        "agent.commands.repositories": "What git obeys is protected however and whenever it got there, in a worktree's main repository too.",
        "agent.commands.apart": "No command can swap the folder of another that is about to run, nor its own.",
        "agent.commands.placeholders": "What a killed sandbox left in a folder is removed, and nothing else.",
        "agent.long-output": "Output that is too long is read by the agent that made it, and goes with it.",
        "agent.web.inside": "WebFetch asks hosts of the open Internet only.",
    },
    "docs/guide/agent.md#the-answer": {
        "agent.answer": "The text of all messages is one answer, usage is the sum, and a sub-agent's words are no part of it.",
        "agent.limits": "A limit ends the answer as `length` and is named, without words.",
    },
    "docs/guide/agent.md#the-clients-tools": {
        "agent.tools": "The client's tools work beside Claude Code's own, under their own names; none can be forced.",
    },
    "docs/guide/agent.md#seeing-what-it-does": {
        "agent.activity": "Activity is shown as events or `reasoning_content` where asked for, and never in the answer's text.",
    },
    "docs/guide/agent.md#conversations": {
        "agent.sessions": "An agent's conversation continues in its session, also on the client's results, or is rebuilt behind the fence.",
    },
    "docs/guide/clients.md#what-is-tried": {
        "chat.client": "The official client reads a completion, a stream and each error as OpenAI's own.",
        "tools.clients": "Tools work in the official client, LangChain and the OpenAI Agents SDK.",
        "conversations.clients": "Turns 2 to 5 of stock clients continue in their session.",
        "clients.matrix": "The table has what came of each capability of each client, each at one version.",
    },
    "docs/guide/conversations.md#conversations": {
        "params.one-request-only": "No parameter of a request has an effect on another request.",
        "conversations.live": "A history that a session has continues there: only what is new is sent, and the prompt cache is used.",
        "conversations.exact": "Any other history is rebuilt: edits, branches, other tools, models, keys, and the second of two at once.",
        "conversations.lawful": "However a client writes the same history, it counts as the same.",
        "conversations.settings-anew": "Sampling and choice of tools may change from turn to turn.",
        "conversations.bounded": "An idle session ends after `--session-ttl`.",
        "conversations.reasons": "Ways, rebuilds and their reasons are in `/health` and the log.",
        "processes.warm": "A new conversation takes a process that waits, and another is started.",
        "processes.warm.history": "So does one that is rebuilt for a user's message, once conversations are rebuilt; upstream gets the same.",
        "processes.warm.bursts": "With `--warm-processes auto` as many wait as the largest burst of ten minutes had, within memory and `--max-processes`; `/health` has it.",
        "processes.starts": "Processes are started in the order of the requests, as many at a time as there are cores; starts in advance wait for those.",
        "processes.bounded": "There are at most `--max-processes`, by default as many as memory holds; the least recently used make room.",
    },
    "docs/guide/docker.md#start": {
        "docker.key": "Nothing starts without a key, and a sentence says so.",
        "docker.settings": "Every variable of the image and of Compose is a setting or a login.",
    },
    "docs/guide/docker.md#what-is-mounted-and-why": {
        "docker.confined": "The container runs without root and capabilities on a read-only root, and is published on loopback only.",
        "docker.mounts": "The login, the workspace and the runs are mounted, and nothing else can be reached or outlives the container.",
    },
    "docs/guide/docker.md#every-day": {
        "docker.stop": "The container is healthy while its server can answer, and ends its requests before Docker would kill it.",
    },
    "docs/guide/operate.md#bounds": {
        "errors.bounded-retries": "A lasting failure upstream is answered within seconds.",
        "admission.bounded": "No more requests run at once than `--max-concurrency`; each one's end frees its place.",
        "admission.fair": "Keys take turns in the queue, and within one key it is first in, first out.",
    },
    "docs/guide/operate.md#disk": {
        "store.trouble": "A full disk, a lock or a broken file is logged once and fails no request.",
    },
    "docs/guide/page.md#keys": {
        "page.keyboard": "The keyboard opens every view and every run.",
    },
    "docs/guide/page.md#the-views": {
        "page.views": "Every view is shown, with its files and headers, and a run with what was answered.",
        "page.live": "A run appears by itself, with its text as it is written, until its end.",
        "page.search": "Runs are searched in the language of the API, while typing, with suggestions; a wrong term is named.",
        "page.cancel": "A run is cancelled from the page, without JavaScript too.",
        "page.accessible": "Every view is accessible and fits the window, light, dark and on a phone.",
    },
    "docs/guide/page.md#who-may-see-it": {
        "page.login": "A key logs in to the page alone and shows its own runs; the owner's code works once and shows all.",
        "page.escaped": "What models, clients and tools wrote is shown as text and never run.",
    },
    "docs/guide/operate.md#stopping": {
        "lifetime.stop": "A stopped server lets running requests finish for a bounded time, takes no others, and leaves no process.",
        "lifetime.killed": "A server that is killed outright leaves no process.",
    },
    "docs/guide/service.md#as-a-service": {
        "service.install": "`service` installs, shows and removes a unit or an agent that its service manager accepts.",
    },
    "docs/guide/service.md#settings-and-secrets": {
        "service.secrets": "The secrets file is 0600 and kept.",
    },
    "docs/guide/start.md#minute-0-see-it-work": {
        "project.demo": "`make demo` streams an answer of the real Claude Code to a stock client, and leaves no process.",
    },
    "docs/guide/start.md#minute-2-install": {
        "project.wheel": "The wheel has every file of the package and nothing else.",
    },
    "docs/guide/start.md#minute-5-start": {
        "start.banner": "The banner gives URL, backend, model, key and login, on standard error.",
    },
    "docs/guide/tools.md#tools": {
        "tools.invalid": "A call that does not fit its schema goes back to the model, never to the client; in the end it is a 502.",
        "tools.same-session": "A result continues the session that made the call, with its prompt cache, for as many rounds as it takes.",
        "tools.results": "Results arrive as they are: text, parts, images, errors, empty, a megabyte, in any order, with the user's words.",
        "tools.rebuilt": "Where no session waits, the same request is answered natively all the same.",
        "tools.parked.bounded": "A session waits no longer than `--tool-timeout`, then its process ends.",
    },
    "docs/guide/troubleshooting.md#the-server-does-not-start": {
        "start.refused": "A bad option, a busy port or a missing Claude Code is one clear sentence and a non-zero exit code.",
    },
    "docs/guide/upgrade.md#upgrading": {
        "store.migrations": "An older store is brought to the newest schema with all in it; a newer or damaged one is refused, untouched.",
    },
    "docs/guide/upgrade.md#what-is-on-disk": {
        "store.retention": "Runs that are too old, or above the size, are deleted, and the file shrinks.",
    },
    "docs/reference/commands.md#commands": {
        "settings.help": "`--help` and `--help-all` list the flags with their variables and defaults.",
        "terminal.colours": "Colours and progress are for terminals only, and `NO_COLOR` is honoured.",
        "commands.help": "Every command is in the help and has examples, named as the person called it.",
    },
    "docs/reference/commands.md#serving-claude-openai": {
        "commands.words": "`serve`, `start`, `help`, `version`, `-v` and `-V` do what they say; a switch may have a value.",
    },
    "docs/reference/commands.md#serving-detached-claude-openai---background": {
        "background.ready": "`--background` returns when the detached server is ready, beside others, and prints how to see and stop it.",
        "background.fails": "A server that cannot start, also on a port that is taken, says why, or its last lines of log are shown.",
        "background.log": "Its log is a private file in the data folder; a key in its environment is in no list of processes.",
    },
    "docs/reference/commands.md#which-servers-run-claude-openai-status": {
        "status.lists": "`status` has a block for each server, or JSON; where none runs the exit code is 1.",
        "status.not-ready": "A server that does not answer within 3 seconds, or is not ready, is shown as such with its reason.",
        "instances.files": "A server is known by files from ready to its end; those of a killed server have no effect.",
        "instances.private": "The files are this user's and this home's alone; a folder of another user is not used and stops no start.",
    },
    "docs/reference/commands.md#stopping-claude-openai-stop": {
        "stop.graceful": "`stop` ends a server as Ctrl-C does and returns when it has ended, or says why it has not.",
        "stop.force": "`--force` ends a hung server with all it started.",
    },
    "docs/reference/commands.md#recent-requests-claude-openai-runs": {
        "commands.runs": "`runs` has a line for each of the latest runs that fits the terminal, or JSON, by state and number.",
        "store.crash": "A killed server leaves a whole store, in which none of its runs is running; several servers can share one.",
    },
    "docs/reference/commands.md#which-server-is-asked": {
        "commands.client": "Commands find the server and its key, follow no redirect, use no proxy, and take the beginning of an id.",
        "commands.store": "Where no server runs, `runs` and `tail` read the store, say so, and change no file.",
    },
    "docs/reference/commands.md#following-a-run-claude-openai-tail": {
        "terminal.harmless": "What somebody sent cannot speak to the terminal.",
        "commands.tail": "`tail` prints the text as it is, marks calls, and ends with a line of state, tokens, cost and time.",
        "commands.tail.follow": "`tail -f` shows a live run until it ends; Ctrl-C ends the command and not the run.",
    },
    "docs/reference/commands.md#ending-a-run-claude-openai-cancel": {
        "commands.cancel": "`cancel` ends each run and names those that it could not, with exit code 1.",
    },
    "docs/reference/commands.md#the-log-claude-openai-logs": {
        "commands.logs": "`logs` shows requests or events of the right log, a file or a pipe, by level, run, name and number.",
        "commands.logs.follow": "`-f` follows a file by whole lines, across rotation and truncation.",
    },
    "docs/reference/commands.md#named-keys-claude-openai-keys": {
        "commands.keys": "`keys` makes a key, shown once and stored as a digest, lists and revokes, and running servers follow at once.",
    },
    "docs/reference/commands.md#telling-a-client-claude-openai-connect": {
        "connect.prints": "`connect` lists the clients, and prints what one, or any, needs for the server that runs or is named.",
        "connect.key": "A key is named by its variable, and printed only with `--show-key`.",
        "connect.writes": "`--write` puts it where the client looks, and keeps the rest of the file to the letter.",
        "connect.refuses": "What cannot be joined stays as it is, with the reason.",
    },
    "docs/reference/commands.md#what-is-missing-here-claude-openai-doctor": {
        "commands.doctor": "Each check of `doctor` is a line with its remedy, or JSON, without a secret; a failure is exit code 1.",
        "commands.doctor.self-test": "The real Claude Code answers a simulated model's request; `--live` asks the real model once.",
    },
    "docs/reference/commands.md#signing-in-claude-openai-claude": {
        "commands.claude": "`claude ARGS` runs the Claude Code that the server uses, in this terminal.",
    },
    "docs/reference/commands.md#settings-and-their-places-claude-openai-config": {
        "commands.config": "Each setting has its value and its place, as JSON too, and no key is shown.",
    },
    "docs/reference/commands.md#completion-claude-openai-completion": {
        "commands.completion": "Each shell has a script, with which it completes commands and options.",
    },
    "docs/reference/compatibility.md#the-claude-openai-for-node": {
        "commands.original": "The lines of the original's README work as they are written.",
    },
    "docs/reference/errors.md#errors": {
        "errors.envelope": "Every error is `{error: {message, type, param, code}}` in the format of its protocol.",
    },
    "docs/reference/errors.md#all-codes": {
        "http.target": "Every form of a request's target, and an upgrade, has the answer that RFC 9110 and 9112 give it.",
        "errors.invalid-json": "A body that is no JSON object is a 400, a packed one a 415.",
        "errors.upstream": "A failure upstream has its own status and code, and its text is never an answer.",
        "errors.upstream.silent": "An upstream that does not begin, or falls silent, is a 504 within its bound.",
        "errors.upstream.cut": "A cut or malformed upstream stream is an error, never an end.",
        "errors.logged-out": "Without a login the answer is a 401 with the command that helps.",
        "errors.process-died": "A Claude Code that dies is an error to at most the one request that it serves.",
        "errors.own-fault": "A fault of the server is a 500 that shows nothing of the inside.",
        "lifetime.timeout": "A request over `--request-timeout` ends, and its error says so.",
        "admission.queue-full": "A full queue is a 429 `queue_full` at once, a wait over `--queue-timeout` a 503 `queue_timeout`.",
        "agent.failures": "A failure in the midst of the work is reported as what it is, and hurts nobody else.",
        "hostile.not-http": "What is no HTTP gets an error like any other, pipelined requests their answers, and others do not notice.",
    },
    "docs/reference/http.md#endpoints": {
        "http.health": "`/health` has version, backend, readiness and counts, without a key, and no key, account or path.",
        "http.health.not-ready": "`/health` is a 503 with the reason, and with the time where it is known, while requests cannot be answered.",
        "http.welcome": "`GET /` and `GET /v1` describe the server and how to use it.",
        "http.openapi": "`/openapi.json` describes every endpoint, and every answer fits it.",
        "http.not-found": "An unknown path is a 404, what only OpenAI has a 404 with the reason, a wrong method a 405 with `allow`.",
        "models.capabilities": "A model's entry has its context window, what it takes, what it gives and its parameters.",
    },
    "docs/reference/http.md#runs": {
        "runs.states": "Each request is a run, with who asked, when and what came of it, and goes through the states of the table.",
        "runs.cancel": "A run that is not over can be ended at any moment, upstream too, and its client gets `run_cancelled`.",
        "runs.follow": "A follower gets the output so far and then as it comes, and delays nobody.",
        "runs.list": "Runs are listed latest first, by number and state, and found by the beginning of each of their ids.",
        "search.language": "A query finds what it means, in the file, in memory and among running requests alike.",
        "search.wrong": "A wrong query is a 400 that says where it is wrong and what was meant; no text is an error of the server's.",
        "statistics.sums": "Requests add up by hours and days, by model, client, key, way and state, each once, and outlive the runs.",
        "runs.principals": "A key sees and ends its own runs only.",
    },
    "docs/reference/http.md#streams": {
        "stream.token-by-token": "Each piece of text goes out at once, and the pieces are the answer without `stream`.",
        "stream.done": "A stream is `text/event-stream` with any text in it, and `data: [DONE]` ends it.",
        "stream.keep-alive": "Comments keep a silent stream open, before the first token and later.",
        "stream.error-event": "After the first byte a failure is the last event; no finish, no `[DONE]`, and nothing is sent twice.",
        "errors.status-before-first-byte": "Before the first byte a failure has its own status, for streams too.",
    },
    "docs/reference/http.md#a-client-that-leaves": {
        "lifetime.client-gone": "A client that leaves ends its turn upstream, its process, its place in the queue and its parsing.",
    },
    "docs/reference/http.md#headers": {
        "simulate.loud": "The banner, `/health` and a header of every answer show that answers are simulated; nothing else simulates.",
        "http.request-id": "Every answer, errors too, has an `x-request-id` of its own.",
        "safety.not-embedded": "No page of another origin can embed an answer or have its type guessed.",
        "ratelimit.retry-after": "A 429 for a used-up window has `Retry-After` up to its reset.",
    },
    "docs/reference/http.md#rate-limits": {
        "ratelimit.headers": "What Claude Code reports of the rate limit is in `x-ratelimit-*` headers, and nothing else is.",
    },
    "docs/reference/http.md#who-may-ask": {
        "errors.body-too-large": "A body over the limit is a 413, with a length or without; all bodies together are bounded by a 503.",
        "safety.host-header": "A foreign Host header is refused.",
        "safety.origin": "A foreign Origin is refused; CORS headers go to allowed pages only; the server's own page may call it.",
        "safety.origin.patterns": "`--allowed-origin` takes patterns that no foreign page fits, and `null` only with a key.",
        "safety.fetch-metadata": "What a browser sends for another site's page without an Origin is refused.",
        "safety.key": "A right key as Bearer or `x-api-key` is accepted; without one all but the open paths is a 401.",
        "hostile.values": "A body or past arguments with too many JSON values are a 400 that names the limit.",
        "hostile.connections": "Connections are bounded below the limit on files; idle ones make room, and one too many is a 503.",
        "hostile.slow": "A client that takes too long to send a request is disconnected.",
    },
    "docs/reference/logs.md#the-log": {
        "logs.events": "The log is one JSON event a line, those of a request with its ids, those of libraries too.",
        "logs.console": "On a terminal each request is one line; a failed one has its reason below.",
    },
    "docs/reference/logs.md#what-it-keeps-of-conversations": {
        "logs.contents": "`info` has no word of a conversation, `debug` all of it, `trace` each message of Claude Code.",
    },
    "docs/reference/logs.md#where-it-goes": {
        "logs.levels": "Each level shows what is more important too; `--log false`, in any usual word, logs nothing.",
        "logs.file": "A log file and its folders are their owner's only; a full file is put aside, and no line is lost or split.",
        "logs.format": "Standard output has the log and nothing else, in the form of `--log-format`; `--debug` adds standard error.",
    },
    "docs/reference/logs.md#requests-do-not-wait-for-the-log": {
        "logs.never-hurts": "A full disk or an unread pipe delays no request; what was lost is counted; what waits is written at the end.",
    },
    "docs/reference/logs.md#what-is-never-in-it": {
        "safety.logs": "No key and no secret is ever logged.",
    },
    "docs/reference/logs.md#events": {
        "logs.documented": "The page has every event with its levels, and each is logged.",
    },
    "docs/reference/parameters.md#what-becomes-of-a-chat-completion-request": {
        "params.all-decided": "Every documented parameter is carried, reported or refused, alike in each protocol.",
        "params.refused": "A parameter that cannot be carried is a 400 that names it.",
        "params.ignored": "A parameter or field without effect, at any depth, is named in a header and the log.",
        "params.strict": "`--strict-parameters` makes what would not be done as asked a 400 that names it.",
    },
    "docs/reference/parameters.md#parameters": {
        "params.max-tokens": "`max_tokens` and `max_completion_tokens` bound the answer upstream; a small limit is not spent on thinking.",
        "params.sampling": "`temperature` and `top_p` reach the models that take them.",
        "params.effort": "Reasoning effort, in OpenAI's and OpenRouter's words, reaches the model; what it lacks is lowered and reported.",
        "params.stop": "Stop sequences, one or several, of white space too, end the answer.",
        "errors.wrong-type": "A wrong type, a value out of its range or missing `messages` is a 400 whose `param` leads to it.",
    },
    "docs/reference/parameters.md#models": {
        "models.list.override": "`CLAUDE_MODELS_OVERRIDE` replaces the list.",
        "models.names": "A model has its short names, its full id and the spellings of other providers; no name is the default model.",
        "models.alias": "`--model-alias gpt-4o=sonnet` serves the foreign name, repeatable.",
        "models.unknown": "An unknown model is a 404 `model_not_found` that names what exists, and what was meant.",
    },
    "docs/reference/parameters.md#messages": {
        "chat.messages.native": "Messages reach the model as native turns with their roles, all of them, in order, as they were sent.",
        "chat.messages.system": "System and developer messages are the system prompt; later ones stay at their place, marked.",
        "chat.messages.image": "An image, as data or by URL, reaches the model as an image and leaves no file; too many are a 400.",
        "chat.messages.file": "A `file` with PDF data reaches the model as a document.",
        "chat.messages.tools": "Earlier calls and results are native; arguments that are no JSON object are carried and reported.",
        "chat.messages.parts": "Parts are accepted in every role; one that cannot be carried is a 400 that names it.",
        "chat.messages.blank": "A blank message neither hangs nor adds words.",
        "chat.messages.trailing-assistant": "An assistant message at the end is continued, and reported.",
        "tools.results.missing": "A call without a result, or a result for no call, is a 400 that names the id.",
        "tools.results.ids": "Call ids of other servers, and ids that stand twice, keep each result with its call.",
    },
    "docs/reference/parameters.md#tools": {
        "tools.offered": "A request's tools, up to 128, are the model's, under their own names.",
        "tools.schemas.untouched": "A schema reaches the model as it was sent, whatever it uses of JSON Schema.",
        "tools.schemas.offline": "A reference in a schema to another document is never fetched.",
        "tools.faulty": "A bad name, a name twice or an invalid schema is a 400 that names the tool.",
        "tools.choice": "`tool_choice` in every form and `parallel_tool_calls` reach the model, for one request.",
        "tools.legacy": "`functions` and `function_call` are accepted and answered in kind.",
        "safety.event-loop.checks": "No schema keeps the server from answering others or stopping, nor Claude Code busy.",
    },
    "docs/reference/parameters.md#the-form-of-an-answer": {
        "format.fits": "An answer with a schema is one JSON text that fits it, in every protocol, profile and backend.",
        "format.every-schema": "A schema reaches the model whole, whatever Claude Code knows of its keywords.",
        "format.object": "`json_object` is one JSON object in the model's own words, without what stands around it.",
        "format.streamed": "The form streams as the model writes it, and a stop sequence ends it.",
        "format.mended": "What does not fit goes back to the model, and is no part of the answer.",
        "format.unfit": "What does not fit in the end, or was streamed, is an error with a code.",
        "format.cut": "An answer that is cut ends with `length`, and a refusal can be read in `refusal`.",
        "format.tools": "The client's tools work beside a form.",
        "format.refused": "A schema that Claude does not take is a 400 that names it.",
        "format.private": "With the SDK no other user reads a schema in the list of processes.",
    },
    "docs/reference/parameters.md#several-answers": {
        "params.n": "`n` gives up to 8 choices, streamed under their index; usage counts the prompt once.",
        "params.n.places": "Each of several answers takes a place and is a run; one that fails ends all; the first keeps its session.",
    },
    "docs/reference/parameters.md#the-answer": {
        "chat.reply.text": "The content is Claude's text, every character of it, and nothing else: no thinking, no made-up sentence.",
        "chat.refusal": "A refusal ends with `content_filter` and has its words in `refusal`.",
        "chat.reasoning-content": "Thinking is in `reasoning_content`, streamed and whole; a client may send it back.",
        "usage.tokens": "Usage has Claude Code's own numbers, cached and reasoning tokens among them.",
        "usage.claude-object": "A `claude` object beside the usual keys has model, cost and session id.",
        "tools.calls": "Calls come as `tool_calls`, in order, each with its own id; streamed ones add up to the same.",
    },
    "docs/reference/parameters.md#completions": {
        "completions.answer": "`POST /v1/completions` answers one prompt or several, whole and streamed, for the official client too.",
        "completions.parameters": "Every parameter of a completion is carried, reported or refused.",
    },
    "docs/reference/responses.md#the-responses-api": {
        "responses.compliance": "The compliance cases of the Open Responses specification pass.",
    },
    "docs/reference/responses.md#items": {
        "responses.input": "Every form of input becomes native messages, images, files, calls and results.",
        "responses.input.foreign": "Items of OpenAI's own tools are native calls, or text, and reported.",
        "responses.input.refused": "An item that cannot be carried is a 400 that names it.",
    },
    "docs/reference/responses.md#streams": {
        "responses.status": "A failure before anything was sent has its status, later it is `response.failed`.",
        "responses.stream": "A stream has OpenAI's events, numbered, each item complete before the next, and adds up to the response.",
    },
    "docs/reference/responses.md#stored-responses": {
        "responses.continued": "`previous_response_id` continues a stored response, in its session if that lives; its items can be named.",
        "responses.stored": "A response is stored before its end is sent; its own key can fetch, list and delete it; `store: false` keeps none.",
        "responses.cancel": "A response that is being answered can be ended.",
    },
    "docs/reference/responses.md#parameters": {
        "responses.tools": "Functions, every choice among them and the agent profile work as in chat completions.",
        "responses.parameters": "Each field is carried, reported or refused, and a response repeats what was asked for.",
    },
    "docs/reference/metrics.md#metrics": {
        "metrics.scrape": "`GET /metrics` answers Prometheus in the format it accepts, with a key or, opened, on this machine.",
    },
    "docs/reference/metrics.md#the-table": {
        "metrics.values": "The metrics of the table count what happened, and no client can add a value of a label.",
    },
    "docs/guide/operate.md#metrics": {
        "metrics.alerts": "The dashboard and the alert rules name metrics that exist, and the page each alert.",
    },
    "docs/reference/settings.md#settings": {
        "processes.replaced": "A process is replaced after so many answers or above a size, between turns.",
        "settings.precedence": "Flags beat environment beats file beats the documented defaults.",
        "settings.environment-names": "Each setting is read under each of its documented names.",
        "settings.claude-command": "`--claude-command` replaces the bundled Claude Code.",
    },
    "docs/reference/settings.md#the-file": {
        "settings.file": "An optional TOML file sets any of them; an unknown key there is an error.",
    },
    "docs/reference/settings.md#api-keys": {
        "safety.loopback": "The server listens on loopback, and on another address only with a key.",
        "start.hosts": "`--host` is repeatable, all on one port; `localhost` is 127.0.0.1 and, where there is IPv6, ::1.",
        "keys.named": "`name:key` names a key, whose runs are the name's; plain keys work as before, with a colon too; an operator sees all.",
        "limits.minute": "Requests and tokens over a key's limit of a minute are a 429 with the time of the next and OpenAI's headers.",
        "limits.period": "Tokens and cost of a day and a month are counted across restarts, and refused once they are used up.",
        "limits.allowed": "A key has only the models and the profiles that it is allowed.",
        "settings.keys": "Several API keys count at once; `--api-key-file` keeps keys out of the list of processes.",
    },
    "docs/reference/settings.md#the-login": {
        "start.login": "The banner names the kind of login, or warns with the command that helps if there is none.",
        "settings.base-url": "`ANTHROPIC_BASE_URL=... claude-openai` reaches that upstream.",
    },
    "docs/reference/settings.md#terms": {
        "start.terms": "The banner and `doctor` warn of a subscription's login that would serve others.",
    },
    "docs/reference/settings.md#what-claude-code-gets-of-the-environment": {
        "safety.environment": "Only the listed variables reach Claude Code.",
    },
    "docs/reference/settings.md#exit-codes": {
        "start.exit-codes": "Whatever ends a command is one sentence and a documented exit code.",
    },
    "docs/reference/simulator.md#the-simulator": {
        "simulator.messages": "The simulator answers the Messages API, whole and streamed, the same requests with the same bytes.",
        "simulator.command": "`claude-openai simulator --port N` serves the simulator alone, and ends at once when asked.",
        "simulate.answers": "With `--simulate` the real Claude Code answers from the simulator, without an account.",
        "simulate.process": "The simulator of `--simulate` is a process of its own that ends with the server.",
    },
    "docs/reference/simulator.md#what-it-says": {
        "simulator.rules": "The newest message decides the answer, by the rules of the page; arguments and JSON fit their schemas.",
    },
    "docs/reference/simulator.md#directives": {
        "simulator.directives": "Each directive in brackets does what the page says, failures included.",
    },
    "docs/reference/simulator.md#usage": {
        "simulator.usage": "Usage follows from what was sent and answered; cached tokens are the longest stored beginning.",
    },
    "docs/reference/simulator.md#in-tests": {
        "simulator.script": "A test can answer for the model by a script, and sees each request with its headers and times.",
    },
    "docs/explain/architecture.md#processes": {
        "lifetime.first-process": "As the first process of a container the server leaves no zombie.",
        "processes.trouble": "A process that hangs at its start is given up; after three failed starts there is a pause, which `/health` shows.",
    },
    "docs/explain/backends.md#two-ways-to-claude-code": {
        "cli.same-behaviour": "Over either backend answers, usage and failures are the same.",
    },
    "docs/explain/backends.md#what-differs": {
        "cli.refused": "With the CLI backend tools are a 400 that names the parameter and `--backend sdk`.",
        "cli.executable": "The command is the one on `PATH`, else the SDK's own.",
    },
    "docs/explain/backends.md#how-the-command-is-run": {
        "cli.failures": "A command that does not start, dies or exceeds its time is a failure that says so.",
    },
    "docs/explain/backends.md#what-is-kept": {
        "cli.output": "What Claude Code wrote is in the run's folder, 0700 and 0600, until the retention ends; a full disk costs no answer.",
    },
    "docs/explain/claude-code.md#the-environment": {
        "safety.chat.no-compaction": "No history is compacted, and no model is changed.",
    },
    "docs/explain/reliability.md#what-it-proves": {
        "soak.short": "A soak finds nothing; it fails on a leak, a wrong answer or anything left, and names it.",
    },
    "docs/explain/reliability.md#places-and-the-queue": {
        "admission.side-requests": "At the defaults, side requests of three agents never wait for a long answer.",
    },
    "docs/explain/reliability.md#hostile-input": {
        "hostile.fuzz": "Requests made by chance, and any text in any place, are answered, or refused as OpenAI would.",
    },
    "docs/explain/security.md#programs-and-users-of-the-same-machine": {
        "lifetime.killed-server.sweep": "What a killed server left is gone at the next start.",
        "lifetime.killed-server.foreign-untouched": "What is not surely the server's is never removed or signalled.",
        "safety.argv": "No system prompt, message, tool or key is in a command line.",
    },
    "docs/explain/security.md#other-machines": {
        "safety.framing": "A body with Content-Length and Transfer-Encoding ends its connection.",
    },
    "docs/explain/security.md#what-a-client-sends": {
        "chat.messages.no-expansion": "`@path` and `/command` in a message are mere text.",
        "tools.no-leak": "No result ever reaches another conversation.",
        "safety.event-loop.reading": "No request keeps the server from answering others while it is parsed, and its memory is freed with its end.",
        "safety.upstream-address": "No client sees the address of the server's own upstream.",
        "safety.chat.no-tools": "In the chat profile the model has no tool of Claude Code, and works in an empty folder that goes with it.",
        "safety.chat.no-user-config": "CLAUDE.md, settings, hooks and MCP servers of the user do not load.",
    },
    "docs/explain/security.md#what-claude-code-may-touch": {
        "lifetime.turn-over.no-traces": "A conversation that is over leaves no process and no file.",
    },
    "docs/explain/security.md#what-is-kept-on-your-disk": {
        "store.disk.private": "The store's folder is 0700, its files 0600; tightened where looser, refused where shared.",
    },
    "docs/explain/security.md#what-is-installed": {
        "project.locked": "Every package is pinned with its hashes, for the image too.",
    },
    "CONTRIBUTING.md#set-up": {
        "project.make": "`make` alone lists every target with a line on what it does.",
    },
    "CONTRIBUTING.md#a-change": {
        "project.docs.names": "The documents are true: every link, flag, file and test in them exists, and every table is the code's.",
    },
}
"""The rows of each page, those of OpenAI's reference first."""

REQUIREMENTS: Final = tuple(Row(row, text, page) for page, rows in PROMISES.items() for row, text in rows.items())
