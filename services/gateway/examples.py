"""Examples made from schemas: what a body looks like when every field has the example that its schema gives."""

import re
from typing import Any

BY_FORMAT = {
    "date": "2026-09-01",
    "date-time": "2026-09-01T09:00:00Z",
    "uuid": "0199e0a5-6c00-7d3a-9f00-5a3b1c2d4e6f",
    "uri": "https://example.org/",
    "binary": "URN,LA\n100052,202\n",
}
WORDS = ("as agreed", "M1", "123456", "https://example.org/agreement", "0")
"""Texts to choose from where a pattern forbids the first."""
BY_TYPE: dict[str, Any] = {"boolean": True, "null": None, "object": {}}
Schemas = dict[str, Any]


def example(schema: Schemas, known: Schemas) -> Any:
    """A value that fits the schema, whose references lead into `known`."""
    if "$ref" in schema:
        return example(known[schema["$ref"].rpartition("/")[2]], known)
    for name in ("examples", "enum"):
        if name in schema:
            return schema[name][0]
    for name in ("const", "default"):
        if schema.get(name) is not None:
            return schema[name]
    if "allOf" in schema:
        return {name: value for part in schema["allOf"] for name, value in example(part, known).items()}
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return example(choices[0], known)
    return by_type(schema, known)


def fits(text: str, schema: Schemas) -> bool:
    """Whether a text keeps to a schema's limits and pattern."""
    length = schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text))
    return length and bool(re.search(schema.get("pattern", ""), text))


def by_type(schema: Schemas, known: Schemas) -> Any:
    """A value of the schema's type, within its limits."""
    kind = schema.get("type")
    if "properties" in schema:
        return {name: example(part, known) for name, part in schema["properties"].items()}
    if kind == "array":
        return [example(schema["items"], known)] * max(1, schema.get("minItems", 1))
    if kind == "string":
        texts = (BY_FORMAT.get(schema.get("format", ""), WORDS[0]), *WORDS)
        return next((text for text in texts if fits(text, schema)), WORDS[0])
    if kind in {"integer", "number"}:
        return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    return BY_TYPE.get(str(kind), {})
