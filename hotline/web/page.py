"""The contract as a page for people, made of the OpenAPI document; no script, and no request to anybody. Pure."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from typing import Any, Final

import msgspec

_STYLE: Final = """
:root{color-scheme:light dark;--ink:light-dark(#1b2430,#e6eaf0);--soft:light-dark(#5a6675,#9aa6b5);
--line:light-dark(#dce1e8,#333c48);--page:light-dark(#fff,#14191f);--panel:light-dark(#f5f7fa,#1c232b);
--get:light-dark(#0b6b3a,#5fd08f);--post:light-dark(#1a4fa3,#82b1ff);--bad:light-dark(#a3331a,#ff9d82)}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:15px/1.55 system-ui,"Noto Sans CJK SC","WenQuanYi Micro Hei",sans-serif}
code,pre{font:13px/1.5 ui-monospace,"Cascadia Mono",Menlo,monospace}
a{color:inherit;text-decoration-color:var(--soft);text-underline-offset:3px}
.frame{display:grid;grid-template-columns:minmax(15rem,20rem) minmax(0,1fr)}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1.5rem 1rem;border-right:1px solid var(--line)}
nav h2{margin:1.2rem 0 .3rem;font-size:.8rem;color:var(--soft);font-weight:600}
nav ul{list-style:none;margin:0;padding:0}
nav a{display:grid;grid-template-columns:3.4rem 1fr;padding:.15rem .4rem;border-radius:4px;
text-decoration:none;overflow-wrap:anywhere}
nav a:hover,nav a:focus-visible{background:var(--panel)}
main{padding:2rem 2.5rem 6rem;max-width:62rem}
h1{font-size:1.7rem;margin:0 0 .5rem;text-wrap:balance}
section{padding-top:1.8rem;margin-top:1.8rem;border-top:1px solid var(--line);scroll-margin-top:1rem}
section h2{margin:0 0 .2rem;font-size:1.1rem;overflow-wrap:anywhere}
h3{margin:1.2rem 0 .3rem;font-size:.85rem;color:var(--soft);font-weight:600}
p{margin:.3rem 0;max-width:70ch}
.method{display:inline-block;min-width:3.2rem;font-weight:700;font-size:.8rem}
.get{color:var(--get)}.post{color:var(--post)}.bad{color:var(--bad)}.soft{color:var(--soft)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--line)}
th{font-size:.8rem;font-weight:600;color:var(--soft)}
td:first-child{white-space:nowrap}
pre{background:var(--panel);padding:.8rem 1rem;border-radius:6px;overflow:auto;margin:.3rem 0}
.wide{overflow-x:auto}
@media(max-width:52rem){.frame{grid-template-columns:1fr}nav{position:static;height:auto;border-right:0;
border-bottom:1px solid var(--line)}main{padding:1.2rem}}
"""
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page's Content-Security-Policy: its own style, by its hash, and nothing else."""
CONTENT_TYPE: Final = "text/html; charset=utf-8"
_CODE: Final = re.compile(r"`([^`]+)`")
_FIRST_BAD: Final = "400"


def page(document: Mapping[str, Any], listener: str) -> str:
    """The page of a document, as this listener serves it."""
    operations = [
        (method.upper(), path, told)
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]
    schemas: Mapping[str, Any] = document["components"]["schemas"]
    info = document["info"]
    body = "".join(
        (
            f"<h1>{escape(info['title'])}</h1>",
            f'<p class="soft">{escape(info["version"])} · the listener for {escape(listener)} · ',
            '<a href="/openapi.json">openapi.json</a> · <a href="/asyncapi.json">asyncapi.json</a></p>',
            *(f"<p>{_text(part)}</p>" for part in info["description"].strip().split("\n\n")),
            *(_operation(*one) for one in operations),
            _limits(info["x-limits"]),
            *(_schema(name, told) for name, told in schemas.items()),
        )
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f'<body><div class="frame">{_contents(operations, schemas)}<main>{body}</main></div></body></html>'
    )


def _contents(operations: list[tuple[str, str, Any]], schemas: Mapping[str, Any]) -> str:
    listed = "".join(
        f'<li><a href="#{escape(told["operationId"])}">{_method(method)}<span>{escape(path)}</span></a></li>'
        for method, path, told in operations
    )
    shapes = "".join(f'<li><a href="#{escape(name)}">{escape(name)}</a></li>' for name in schemas)
    return (
        f'<nav aria-label="Contents"><h2>Operations</h2><ul>{listed}</ul>'
        f'<h2>Limits</h2><ul><li><a href="#limits">Limits by name</a></li></ul>'
        f"<h2>Shapes</h2><ul>{shapes}</ul></nav>"
    )


def _method(method: str) -> str:
    return f'<span class="method {method.lower()}">{escape(method)}</span>'


def _operation(method: str, path: str, told: Mapping[str, Any]) -> str:
    scope = told["x-scope"]
    who = f"For {', '.join(told['x-roles'])}; {f'scope {scope}' if scope else 'any scope'}."
    return "".join(
        (
            f'<section id="{escape(told["operationId"])}"><h2>{_method(method)} <code>{escape(path)}</code></h2>',
            f"<p>{_text(told['summary'])}</p>",
            f'<p class="soft">{escape(who)}</p>',
            *_parameters(told.get("parameters", [])),
            *_body(told.get("requestBody", {})),
            "<h3>Answers</h3>",
            _table(("Status", "What it says", "Body"), (_answer(*one) for one in told["responses"].items())),
            "</section>",
        )
    )


def _parameters(parameters: list[Mapping[str, Any]]) -> Iterator[str]:
    if parameters:
        yield "<h3>Parameters</h3>"
        yield _table(
            ("Name", "In", "Kind", "What it is"),
            (
                (
                    f"<code>{escape(one['name'])}</code>",
                    escape(one["in"]) + ("" if one["required"] else ", optional"),
                    _kind(one["schema"]),
                    _text(one["description"]),
                )
                for one in parameters
            ),
        )


def _body(body: Mapping[str, Any]) -> Iterator[str]:
    for content_type, told in body.get("content", {}).items():
        yield f"<h3>Body: {escape(content_type)}</h3><p>{_kind(told['schema'])}</p>"
        if "example" in told:
            shown = msgspec.json.format(msgspec.json.encode(told["example"]), indent=2).decode()
            yield f"<pre>{escape(shown)}</pre>"


def _answer(status: str, told: Mapping[str, Any]) -> tuple[str, str, str]:
    bad = ' class="bad"' if status >= _FIRST_BAD else ""
    shapes = ", ".join(_kind(one["schema"]) for one in told["content"].values())
    return f"<code{bad}>{escape(status)}</code>", _text(told["description"]), shapes


def _limits(limits: Mapping[str, float]) -> str:
    rows = ((f"<code>{escape(name)}</code>", f"{value:,.0f}") for name, value in limits.items())
    return f'<section id="limits"><h2>Limits by name</h2>{_table(("Name", "Value"), rows)}</section>'


def _schema(name: str, told: Mapping[str, Any]) -> str:
    needed = set(told.get("required", ()))
    rows = (
        (
            f"<code>{escape(field)}</code>"
            + ("" if field in needed else ' <span class="soft">optional</span>'),
            _kind(kind),
            _text(kind.get("description", "")),
        )
        for field, kind in told.get("properties", {}).items()
    )
    fields = (
        _table(("Field", "Kind", "What it is"), rows) if "properties" in told else f"<p>{_kind(told)}</p>"
    )
    text = _text(told.get("description", ""))
    return f'<section id="{escape(name)}"><h2>{escape(name)}</h2><p>{text}</p>{fields}</section>'


def _text(text: str) -> str:
    """A text of the contract; names of code in it stand between backticks."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _kind(schema: Mapping[str, Any]) -> str:
    """The kind of a value in a few words, a shape as a link to it."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for several in ("oneOf", "anyOf", "allOf"):
        if several in schema:
            return " or ".join(_kind(one) for one in schema[several])
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(one))}</code>" for one in schema["enum"])
    if "const" in schema:
        return f"always <code>{escape(str(schema['const']))}</code>"
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_kind(schema['items'])}" if "items" in schema else "list"
    return escape(f"{kind}, {schema['format']}" if "format" in schema else str(kind))


def _table(columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
