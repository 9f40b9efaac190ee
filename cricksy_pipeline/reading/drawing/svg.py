"""Elements of inline SVG, escaped by construction.

Belongs here: how a tag is written. Does not belong here: what is drawn (`plots`, `range_bar`).
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

NAMESPACE = "http://www.w3.org/2000/svg"


def element(tag: str, content: str | Iterable[str] = "", /, **attributes: str | float | None) -> Markup:
    """One element. Everything is escaped, but content that is `Markup` already.

    Args:
        tag: a literal of the caller's, never data.
        content: text, or elements one after the other.
        attributes: `_` stands for `-`, and `cls` for `class`; floats are rounded to hundredths; None leaves the attribute out.
    """
    # Plain text of escaped parts: a report has a thousand elements, and `Markup.format` would parse its format for each.
    written = "".join(
        f' {escape("class" if name == "cls" else name.replace("_", "-"))}="{escape(_plain(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    inner = escape(content) if isinstance(content, str) else "".join(map(escape, content))
    return Markup(f"<{tag}{written}>{inner}</{tag}>" if inner else f"<{tag}{written}/>")


def drawing(width: float, height: float, spoken: str, content: Iterable[str], *, cls: str, **attributes: str | float | None) -> Markup:
    """The outer `svg` element with a text alternative. `viewBox` and the namespace make it valid inline and as a file."""
    opened = Markup('<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}" xmlns="{}"').format(
        cls, width, height, spoken, NAMESPACE
    )
    extra = Markup("").join(Markup(' {}="{}"').format(name.replace("_", "-"), _plain(value)) for name, value in attributes.items())
    return opened + extra + Markup(">") + Markup("").join(content) + Markup("</svg>")


def _plain(value: str | float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
