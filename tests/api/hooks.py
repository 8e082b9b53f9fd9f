"""Loaded by schemathesis: keeps made-up addresses at home. The server refuses loopback addresses by
itself, so every URL that it is told to fetch becomes one; no test leaves the machine."""

import schemathesis

HOME = "http://127.0.0.1:9/film.mp4"


@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.body, dict):
        for name in case.body:
            if name.endswith("url"):
                case.body[name] = HOME
