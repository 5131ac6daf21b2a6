"""The description as a page that loads nothing from anywhere: every operation, what it takes and what it answers."""

import base64
import hashlib
import json
from html import escape
from typing import Any

from services.gateway.completion import resolved

STYLE = """
:root{color-scheme:light dark;--line:#8884}
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:0 auto;padding:1rem}
h1{margin-bottom:0}h2{margin-top:2.5rem;border-bottom:2px solid var(--line)}nav a{margin-right:1rem}
details{border:1px solid var(--line);border-radius:4px;margin:.4rem 0;padding:.3rem .7rem}
summary{cursor:pointer}summary b{display:inline-block;min-width:4.5rem;text-transform:uppercase}
code,pre{font:14px/1.4 ui-monospace,monospace}pre{overflow:auto;max-height:24rem;background:#8881;padding:.6rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;border-top:1px solid var(--line);
padding:.25rem .6rem .25rem 0}
"""
DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{DIGEST}'; base-uri 'none'; frame-ancestors 'none'"
"""What a browser may load for this page: its own style and nothing else."""
Part = dict[str, Any]


def page(whole: Part) -> str:
    """The whole description as HTML."""
    info = whole["info"]
    tags = "".join(f'<a href="#{escape(tag["name"])}">{escape(tag["name"])}</a> ' for tag in whole["tags"])
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(info['title'])}</title><style>{STYLE}</style><h1>{escape(info['title'])}</h1>"
        f"<p>{escape(info['description'])}</p>"
        '<p>For machines: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>'
        f"<nav>{tags}</nav>{''.join(section(tag, whole) for tag in whole['tags'])}</html>"
    )


def section(tag: Part, whole: Part) -> str:
    """The operations of one tag."""
    found = "".join(
        shown(method, path, operation, whole)
        for path, item in whole["paths"].items()
        for method, operation in item.items()
        if operation["tags"][0] == tag["name"]
    )
    name = escape(tag["name"])
    return f'<section id="{name}"><h2>{name}</h2><p>{escape(tag["description"])}</p>{found}</section>'


def shown(method: str, path: str, operation: Part, whole: Part) -> str:
    """One operation, folded."""
    scopes = sorted({scope for each in operation["security"] for scope in each.get("oauth2", [])})
    asks = f"<p>Needs <code>{escape(' '.join(scopes))}</code>.</p>" if scopes else "<p>Open to everybody.</p>"
    parameters = [resolved(whole, each) for each in operation.get("parameters", [])]
    takes = rows(
        (f"{each['name']} ({each['in']}{', needed' if each.get('required') else ''})", each.get("description", ""))
        for each in parameters
    )
    body = "".join(
        example(kind, medium) for kind, medium in operation.get("requestBody", {}).get("content", {}).items()
    )
    answers = {status: resolved(whole, each) for status, each in operation["responses"].items()}
    examples = "".join(
        example(f"{status} {kind}", medium)
        for status, each in answers.items()
        if status < "300"
        for kind, medium in each.get("content", {}).items()
    )
    said = rows((status, each["description"]) for status, each in answers.items())
    return (
        f"<details><summary><b>{method}</b> <code>{escape(path)}</code> {escape(operation['summary'])}</summary>"
        f"<p>{escape(operation['description'])}</p>{asks}{takes}{body}<h4>Answers</h4>{said}{examples}</details>"
    )


def rows(pairs: Any) -> str:
    """A table of two columns; nothing when it would be empty."""
    lines = "".join(f"<tr><th>{escape(name)}<td>{escape(words)}" for name, words in pairs)
    return f"<table>{lines}</table>" if lines else ""


def example(title: str, medium: Part) -> str:
    """An example of a body."""
    if "example" not in medium:
        return ""
    text = json.dumps(medium["example"], indent=2, ensure_ascii=False)
    return f"<h4>{escape(title)}</h4><pre>{escape(text)}</pre>"
