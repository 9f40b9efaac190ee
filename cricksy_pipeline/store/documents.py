"""What may be written into a JSON column or object: plain, finite JSON.

Belongs here: the one check that every document passes before the database sees it, and the one way it is serialised. Does not
belong here: the shape of a document (`analysis.documents`).
"""

from __future__ import annotations

import json
import math
from typing import Any

from cricksy_pipeline.errors import CricksyError, ErrorCode


def checked(document: Any, name: str) -> dict[str, Any]:
    """The document as JSON will give it back (tuples are lists, keys are strings), or an error that names the place.

    Args:
        document: a dict of dicts, lists, tuples, strings, booleans, None, integers and finite floats.
        name: what the document is called in the error, for example `deep_findings`.

    Returns:
        A copy that equals what a reader of the column will parse.

    Raises:
        CricksyError: GUARDRAIL_FAILED, where something is not finite, not JSON, or the whole is not a non-empty object.
    """
    if not isinstance(document, dict) or not document:
        raise CricksyError(ErrorCode.GUARDRAIL_FAILED, f"{name} must be a non-empty JSON object, not {_described(document)}.")
    return _plain(document, name)


def to_json(value: Any) -> str:
    """JSON text in which NaN and infinity cannot occur (ValueError); the engine's serialiser, a second line behind `checked`."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def lenient(value: Any) -> Any:
    """The value as JSON, with whatever JSON cannot say written as text: for what a guardrail saw, which may well be a NaN."""
    if isinstance(value, dict):
        return {str(key): lenient(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [lenient(item) for item in value]
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    # PostgreSQL's text cannot hold the NUL character.
    return str(value).replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _plain(value: Any, path: str) -> Any:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        if "\x00" in value:
            raise CricksyError(ErrorCode.GUARDRAIL_FAILED, f"{path} holds the NUL character, which PostgreSQL cannot store.")
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise CricksyError(ErrorCode.GUARDRAIL_FAILED, f"{path} is {value}: not a finite number.")
        return float(value)
    if isinstance(value, dict):
        wrong = next((key for key in value if not isinstance(key, str)), None)
        if wrong is not None:
            raise CricksyError(ErrorCode.GUARDRAIL_FAILED, f"{path} has the key {wrong!r}: JSON keys are text.")
        return {str(key): _plain(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{path}[{index}]") for index, item in enumerate(value)]
    raise CricksyError(ErrorCode.GUARDRAIL_FAILED, f"{path} is a {type(value).__name__}, which JSON does not have.")


def _described(value: Any) -> str:
    return "an empty one" if isinstance(value, dict) else "missing" if value is None else f"a {type(value).__name__}"
