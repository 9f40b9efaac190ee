"""Walking JSON that nobody has checked yet.

Belongs here: reaching into a document without trusting its shape, listing its values, its fingerprint. Does not belong here: what any
document should hold (`guardrail_predicates`).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from typing import Any


def at(document: Any, *path: str | int) -> Any:
    """The value under a path of keys and positions; None wherever the path breaks off."""
    for step in path:
        if isinstance(step, str) and isinstance(document, dict):
            document = document.get(step)
        elif isinstance(step, int) and isinstance(document, list) and -len(document) <= step < len(document):
            document = document[step]
        else:
            return None
    return document


def items(document: Any, *path: str | int) -> list[Any]:
    """The list under a path; empty when there is none."""
    found = at(document, *path)
    return found if isinstance(found, list) else []


def is_number(value: Any) -> bool:
    """Whether a JSON value is a finite number (a truth value is not)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and (isinstance(value, int) or math.isfinite(value))


def fingerprint(document: Any) -> str:
    """SHA-256 of the canonical JSON text: keys sorted, no spaces; equal for whatever went through JSON and came back."""
    return hashlib.sha256(
        json.dumps(document, sort_keys=True, separators=(",", ":"), default=str).encode("utf-8", "surrogatepass")
    ).hexdigest()


def leaves(document: Any, path: str = "$") -> Iterator[tuple[str, Any]]:
    """Every value that is neither an object nor a list, with its path. Walks without recursion: depth is the sender's choice."""
    waiting = [(path, document)]
    while waiting:
        here, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{here}.{key}", inner) for key, inner in reversed(list(value.items()))]
        elif isinstance(value, (list, tuple)):
            waiting += [(f"{here}[{i}]", inner) for i, inner in reversed(list(enumerate(value)))]
        else:
            yield here, value


def small(value: Any, depth: int = 3) -> Any:
    """A value fit for a check's metadata: long ones cut, deep ones as text, non-finite numbers as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, dict) and depth:
        return {str(key)[:60]: small(inner, depth - 1) for key, inner in list(value.items())[:8]}
    if isinstance(value, (list, tuple)) and depth:
        return [small(inner, depth - 1) for inner in value[:8]]
    return value[:200] if isinstance(value, str) else type(value).__name__
