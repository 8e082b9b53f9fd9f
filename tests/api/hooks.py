"""Loaded by schemathesis: keeps made-up addresses at home, and looks whether what was made is found.
The server refuses loopback addresses by itself, so every URL that it is told to fetch becomes one;
no test leaves the machine."""

import schemathesis
from schemathesis.specs.openapi.checks import ensure_resource_availability

HOME = "http://127.0.0.1:9/film.mp4"


@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.body, dict):
        for name in case.body:
            if name.endswith("url"):
                case.body[name] = HOME


@schemathesis.check
def what_was_made_is_found(ctx, response, case):
    """The tool's own check takes every 404 for the address's; ours can be of an id in the body,
    which is made up, and then says so."""
    if response.status_code != 404:
        return None
    if any(f"`{value}`" in response.text for value in (case.path_parameters or {}).values()):
        return ensure_resource_availability(ctx, response, case)
    return None
