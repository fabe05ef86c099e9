"""Why a conversation was rebuilt, for a person: what happened, and what can be done about it. Pure."""

from typing import Final

REASONS: Final = {
    "model": ("the request names another model than the one before", "Keep the model within a conversation."),
    "profile": ("the request has another profile, chat or agent", "Keep the profile within a conversation."),
    "format": ("the request asks for another form of its answer", "Keep `response_format` within a conversation."),
    "instructions": (
        "the system prompt differs from that of the turn before",
        "Some clients put the time or the open files into it: look for a setting, or put them into the last message.",
    ),
    "tools": ("the list of tools differs from that of the turn before", "Send the same tools in the same order."),
    "history": (
        "an earlier message differs from what was said",
        "An edit or a regeneration does that. Clients that shorten or compact a history do it by themselves.",
    ),
    "unknown": (
        "this server has not seen the history, or does not remember it",
        "The conversation began elsewhere, or before the server's start.",
    ),
    "busy": (
        "the conversation's process was answering another request",
        "The client sent two requests of one conversation at once.",
    ),
    "mixed": ("tool results came together with a message", "Send tool results alone."),
    "expired": (
        "the conversation was idle for too long",
        "A longer `--session-ttl` keeps processes for longer.",
    ),
    "evicted": ("its process was ended to make room for another", "More `--max-processes` take more memory."),
    "died": ("its process ended by itself", "The log has more, under the id of the turn before."),
    "worn": ("its process had reached a limit and was replaced", "Nothing: this bounds memory."),
    "left": ("the client left before the answer before was complete", "Nothing: what was left unsaid cannot go on."),
    "cancelled": ("the turn before was cancelled", "Nothing."),
    "failed": ("the turn before failed", "Look at the run before."),
    "cut": ("the answer before was cut, by a limit or a stop sequence", "Nothing: Claude Code knows what was cut off."),
    "further": ("the answer before was one of several (`n`)", "Ask for one answer where a conversation goes on."),
    "unable": ("the process could not take the new messages", "Very large results do that."),
    "stopped": ("the server was stopped in between", "Nothing."),
}
"""By the reason of a run (`gateway.session_table.MissReason`)."""
