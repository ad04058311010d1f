"""What schemathesis checks here beside its own checks: a request that meets the document is refused by its rules only."""

import re
from urllib.parse import urlsplit, urlunsplit

import schemathesis

# They depend on what stands already, or on who asks, not on the form of the request.
REFUSED_FOR_OTHER_REASONS = {401, 403, 404, 409, 412, 422, 429, 503}


@schemathesis.check
def refused_by_announced_rules_only(ctx, response, case):
    """A request that meets the schemas is refused for a rule that the document names in `x-rules`, or not at all."""
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or response.status_code < 400:
        return
    if response.status_code in REFUSED_FOR_OTHER_REASONS:
        return
    problem = response.json()
    # JSON Schema judges values; this is about how they are written: a number that no double holds, an escaped name.
    if problem.get("error") == "INVALID_JSON_VALUE":
        return
    rules = announced(case.operation.schema)
    unannounced = [f for f in problem.get("errors", [problem]) if not any(r.fullmatch(f["detail"]) for r in rules)]
    if unannounced:
        raise AssertionError(f"refused {response.status_code}, which no rule of the document says: {unannounced}")


@schemathesis.hook
def before_call(context, case, kwargs):
    """No channel of a test reaches a stranger: what would be sent goes to a name that does not exist (RFC 2606)."""
    body = case.body
    url = body.get("url") if isinstance(body, dict) else None
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        return
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    case.body = {**body, "url": urlunsplit(parts._replace(netloc="receiver.invalid"))}


_compiled = {}


def announced(schema):
    """The rules of a document, as patterns: `…` stands for what varies."""
    if id(schema) not in _compiled:
        _compiled[id(schema)] = [
            re.compile(".*".join(re.escape(part) for part in rule.split("…")), re.DOTALL)
            for rule in set(_rules(schema.raw_schema))
        ]
    return _compiled[id(schema)]


def _rules(node):
    if isinstance(node, dict):
        yield from node.get("x-rules", [])
        for part in node.values():
            yield from _rules(part)
    elif isinstance(node, list):
        for part in node:
            yield from _rules(part)
