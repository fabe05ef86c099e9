"""The domain: frozen values and rules, without I/O, clocks, or knowledge of any wire format.

`messages` what was said, `tools` what the model may call, `turn` what one request asks for, `events` what an answer is
made of, `failures` what can go wrong, `models` which models there are, `ports` what the outside must provide.
"""
