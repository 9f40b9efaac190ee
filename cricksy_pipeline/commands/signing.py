"""`cricksy token`: a token for trying the API out.

Belongs here: the command. Does not belong here: what a token is (`reading.api.tokens`), its secret (`reading.api.development`).
"""

from __future__ import annotations

from typing import Annotated

import typer

from cricksy_pipeline import stack
from cricksy_pipeline.commands.terminal import console
from cricksy_pipeline.settings import Settings


def token(
    coach: Annotated[str, typer.Option(help="Whose token; the default is the coach of `cricksy submit` and of dropped files.")] = "local",
    org: Annotated[list[str] | None, typer.Option(help="An organisation that he is a member of; may be said several times.")] = None,
    hours: Annotated[float, typer.Option(min=0.01, max=720, help="How long it holds.")] = 12.0,
) -> None:
    """Print a token of the embedded stack, for curl: -H "Authorization: Bearer $(cricksy token)"."""
    from cricksy_pipeline.reading.api.development import development_secret, development_token

    settings = Settings()
    if not stack.open_access(settings).embedded:
        console.print("Only the embedded stack makes tokens; here tokens of the configured issuer are believed, and no others.")
        raise typer.Exit(1)
    # Nothing but the token, and plain: it goes into a command line.
    print(development_token(development_secret(settings.folder), coach_id=coach, orgs=tuple(org or ()), hours=hours))
