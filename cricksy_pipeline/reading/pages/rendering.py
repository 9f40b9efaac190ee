"""From a template and what it shows to an HTML answer.

Belongs here: the template environment and the answer's headers. Does not belong here: what is shown (the view modules), which page belongs
to which address (`routes`). The content security policy of pages is added to every answer by `api.security_headers`: scripts and styles
only from files of this site, so a template has no script and no style in it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse


@cache
def _environment():
    from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined

    return Environment(
        # Sections that page and report print alike are the report's.
        loader=ChoiceLoader(
            [
                PackageLoader("cricksy_pipeline.reading.pages", "templates"),
                PrefixLoader({"report": PackageLoader("cricksy_pipeline.reading.report", "templates")}),
            ]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(request: Request, template: str, *, status: int = 200, here: str = "", **shown: Any) -> HTMLResponse:
    """One page.

    Args:
        template: a file of `templates/`.
        status: of the answer.
        here: which entry of the navigation this is.
        shown: what the template prints, escaped.
    """
    caller = getattr(request.state, "caller", None)
    access = getattr(request.app.state, "access", None)
    embedded = access is not None and access.embedded
    text = (
        _environment()
        .get_template(template)
        .render(signed_in=caller is not None, can_sign_out=caller is not None and not embedded, here=here, **shown)
    )
    # Not kept anywhere (they are about children's videos, often), but the back button may show them again.
    return HTMLResponse(text, status, {"Cache-Control": "private, no-cache"})
