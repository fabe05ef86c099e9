"""Between the wire and the core: pure functions and encoders, one folder per OpenAI protocol, `errors` for all of them.

No clock, no chance, no I/O: ids and times come in as arguments. What cannot be carried is refused or reported here,
so that nothing is lost without a word.
"""
