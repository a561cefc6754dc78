"""Elements as text. What is not Html already is escaped, so no text of others can become markup. Pure."""

from __future__ import annotations

from html import escape

from neon_hooks.report.wording import plain


class Html(str):
    """Text that is markup."""


Child = str | None
VOID = frozenset({"br", "hr", "meta"})


def element(tag: str, /, *children: Child, **attributes: str | int | bool | None) -> Html:
    """``<tag ...>children</tag>``. ``class_`` is class, ``aria_label`` aria-label; None and False are left out."""
    head = tag + "".join(_attribute(key, value) for key, value in attributes.items() if value not in (None, False))
    return Html(f"<{head}>" if tag in VOID else f"<{head}>{together(*children)}</{tag}>")


def _attribute(key: str, value: str | int | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(str(value))}"'


def text(value: str) -> Html:
    return value if isinstance(value, Html) else Html(escape(plain(value), quote=True))


def together(*children: Child) -> Html:
    return Html("".join(text(child) for child in children if child))
