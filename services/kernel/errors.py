"""Business errors know their HTTP status; one handler shows them as RFC 9457 problem+json."""

from typing import Any, ClassVar

PROBLEM_BASE = "https://ringfence.education/problems/"


class DomainError(Exception):
    """A rule was broken. Subclasses stand beside the function that raises them and fix `status`, `code`, `title`.

    `detail` is one sentence that tells a person what to do; `extensions` are further members of the problem.
    """

    status: ClassVar[int] = 409
    code: ClassVar[str] = "conflict"
    title: ClassVar[str] = "The request conflicts with the present state"

    def __init__(self, detail: str, **extensions: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extensions = extensions
        self.headers: dict[str, str] = {}


class NotFound(DomainError):
    """It does not exist, or it is not the caller's to see: the answer is the same."""

    status = 404
    code = "not_found"
    title = "Not found"


class BadRequest(DomainError):
    """The request cannot be understood."""

    status = 400
    code = "bad_request"
    title = "The request cannot be understood"


class Unprocessable(DomainError):
    """The body is well formed but breaks a rule on its contents."""

    status = 422
    code = "invalid"
    title = "The body breaks a rule"


class Unauthenticated(DomainError):
    """Who calls is not proven."""

    status = 401
    code = "invalid_token"
    title = "Authentication is needed"

    def __init__(self, detail: str, **extensions: Any) -> None:
        super().__init__(detail, **extensions)
        self.headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class Forbidden(DomainError):
    """The caller is known but may not do this."""

    status = 403
    code = "forbidden"
    title = "Not permitted"


class InsufficientScope(Forbidden):
    """The caller's token or key lacks the scope that the route asks for."""

    code = "insufficient_scope"
    title = "The scope does not reach"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs the scope {scope}.", scope=scope)
        self.headers = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}


class Unavailable(DomainError):
    """Something that this depends on does not answer; the same request may succeed later."""

    status = 503
    code = "unavailable"
    title = "Temporarily unavailable"

    def __init__(self, detail: str, retry_after: int = 5, **extensions: Any) -> None:
        super().__init__(detail, **extensions)
        self.headers = {"Retry-After": str(retry_after)}


def problem(error: DomainError, *, instance: str) -> dict[str, Any]:
    """The members of an RFC 9457 problem for this error."""
    return problem_members(error.status, error.code, error.title, error.detail, instance) | dict(error.extensions)


def problem_members(status: int, code: str, title: str, detail: str, instance: str) -> dict[str, Any]:
    """The members of an RFC 9457 problem; `type` is a stable URI made from `code`."""
    said = {"title": title, "status": status, "detail": detail, "instance": instance, "code": code}
    return {"type": PROBLEM_BASE + code, **said}
