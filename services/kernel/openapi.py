"""How refusals are described: each as a problem, and every one that an operation can give."""

from typing import Any

from pydantic import BaseModel

PROBLEM_JSON = "application/problem+json"
PROBLEM = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
FRAMEWORKS_OWN = ("HTTPValidationError", "ValidationError")
WORDS = {
    400: "The request cannot be understood",
    401: "Who calls is not proven",
    403: "The caller may not do this",
    404: "There is none, or it is not the caller's",
    406: "Accept takes no form that the answer has",
    409: "The present state does not allow it",
    412: "It has changed since it was read",
    413: "The body is too large",
    415: "The body has the wrong type",
    422: "The contents break a rule; see errors",
    428: "If-Match is missing",
    500: "Something went wrong here",
    503: "Temporarily unavailable; see Retry-After",
}


def needed(schema: dict[str, Any]) -> dict[str, Any]:
    """Marks a parameter that must be there although the framework is not to ask for it; and how it looks."""
    return {"x-needed": schema}


class Problem(BaseModel):
    """RFC 9457 problem details; `code` is stable and meant for programs."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route that do not follow from its path, parameters and body; for its description."""
    return {status: {"description": WORDS[status], "content": PROBLEM} for status in statuses}


def tells(operation: dict[str, Any]) -> bool:
    """Whether an operation answers with something that Accept can refuse."""
    return any("content" in answer for status, answer in operation["responses"].items() if status < "300")


def refusals(path: str, operation: dict[str, Any]) -> set[int]:
    """The refusals that follow from what an operation takes."""
    names = {each["name"] for each in operation.get("parameters", [])}
    expected = {503} | ({406} if tells(operation) else set())
    if operation.get("security"):
        expected |= {400, 401, 403}
    if "{" in path:
        expected |= {404, 422}
    if names:
        expected |= {422}
    if "If-Match" in names:
        expected |= {409, 412, 428}
    return expected | ({400, 413, 422} if "requestBody" in operation else set())


def described(whole: dict[str, Any]) -> dict[str, Any]:
    """The description with every refusal as a problem, and none that the framework would word otherwise."""
    schemas = whole.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema()
    for name in FRAMEWORKS_OWN:
        schemas.pop(name, None)
    for path, item in whole["paths"].items():
        for operation in item.values():
            for each in operation.get("parameters", []):
                if schema := each["schema"].get("x-needed"):
                    each |= {"required": True, "schema": schema}
            if operation.get("x-own-refusals"):
                continue
            answers = operation["responses"]
            for status in sorted(refusals(path, operation)):
                answers.setdefault(str(status), {"description": WORDS[status]})
            for status, answer in answers.items():
                if status >= "400":
                    answer["content"] = PROBLEM
            operation["responses"] = dict(sorted(answers.items()))
    return whole
