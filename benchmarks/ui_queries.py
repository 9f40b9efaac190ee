"""The GraphQL that Dagster's own pages send, taken out of the installed web server's scripts.

Belongs here: finding a query by its name, with the fragments it uses. Does not belong here: sending it (`scale`). Copies of these texts
would be another version's within weeks.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

# A template literal, as the compiler writes it: a string with escaped line ends.
_DEFINITION = re.compile(r'"(\\n\s*(?:query|fragment)\s+(\w+).*?)"\]?[,)]', re.DOTALL)
_USED = re.compile(r"\.\.\.\s*(\w+)")


@cache
def _definitions() -> dict[str, str]:
    import dagster_webserver

    found: dict[str, str] = {}
    for script in (Path(dagster_webserver.__file__).parent / "webapp").rglob("*.js"):
        for definition, name in _DEFINITION.findall(script.read_text()):
            found.setdefault(name, definition.replace("\\n", "\n"))
    return found


def ui_query(name: str) -> str:
    """The query and all fragments that it uses, directly or not. Raises KeyError where the installed UI has no query of that name."""
    known, wanted, taken = _definitions(), [name], {}
    while wanted:
        one = wanted.pop()
        if one not in taken and (one in known or one == name):
            taken[one] = known[one]
            wanted += [used for used in _USED.findall(known[one]) if used != "on"]
    return "\n".join(taken.values())
