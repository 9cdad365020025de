"""The HTML of the console: templates that escape everything, behind headers that let nothing run.

There is no script on any page, so none is allowed; a page cannot be framed, nor post anywhere but here. OWASP secure
headers; Content Security Policy Level 3.
"""

import importlib.resources
from typing import Any, Final

import jinja2
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, Response

from extproc.core.legible import legible

__all__ = ["HEADERS", "field", "page", "style"]

HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
}
_TEMPLATES: Final = importlib.resources.files(__package__) / "templates"


def _load(name: str) -> str | None:
    found = _TEMPLATES / name
    return found.read_text("utf-8") if found.is_file() else None


_ENVIRONMENT: Final = jinja2.Environment(
    loader=jinja2.FunctionLoader(_load),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals.update(legible=legible)


def page(name: str, *, status: int = 200, **values: Any) -> Response:
    """One page from its template."""
    return HTMLResponse(_ENVIRONMENT.get_template(name).render(values), status_code=status)


def style() -> Response:
    """The style sheet."""
    return Response((_TEMPLATES / "style.css").read_bytes(), media_type="text/css")


def field(form: FormData, name: str) -> str:
    """What was typed into a field of a page's form; nothing where it is missing, or a file."""
    value = form.get(name)
    return value if isinstance(value, str) else ""
