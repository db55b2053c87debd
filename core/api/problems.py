"""Errors as RFC 9457 problem details with stable codes."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from core.audit import REQUEST_ID
from core.errors import Invalid, VaultError

CONTENT_TYPE = "application/problem+json"


def problem(status: int, code: str, detail: str, **more: Any) -> Response:
    """Answer with a problem: ``code`` is stable for programs, ``detail`` a sentence for people."""
    return Response(problem_body(status, code, detail) | more, status=status, content_type=CONTENT_TYPE)


def problem_body(status: int, code: str, detail: str) -> dict[str, Any]:
    """Return what every problem says, for answers that are made outside of the framework too."""
    return {
        "type": f"urn:vault:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": REQUEST_ID.get(),
    }


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an expected error into a problem; leave an unexpected one to become a 500."""
    if isinstance(error, VaultError):
        field = {"field": error.field} if isinstance(error, Invalid) and error.field else {}
        return problem(error.status, error.code, str(error), **field)
    if isinstance(error, Http404):
        return problem(404, "not_found", str(error) or "There is no such thing, or it is not yours.")
    if isinstance(error, PermissionDenied):
        return problem(403, "refused", str(error) or "This credential may not do that.")
    if isinstance(error, exceptions.ValidationError):
        errors = list(_flatten(error.detail))
        detail = "; ".join(f"{e['field']}: {e['detail']}" if e["field"] else e["detail"] for e in errors)
        return problem(400, "invalid", detail, errors=errors)
    if isinstance(error, exceptions.APIException):
        answer = problem(error.status_code, _code(error), str(error.detail))
        if wait := getattr(error, "wait", None):
            answer["Retry-After"] = str(int(wait) + 1)
        if header := getattr(error, "auth_header", None):
            answer["WWW-Authenticate"] = header
        return answer
    return None


def _code(error: exceptions.APIException) -> str:
    code = error.get_codes()
    return code if isinstance(code, str) else "invalid"


def _flatten(detail: Any, path: str = "") -> list[dict[str, str]]:
    """List nested validation messages as ``{"field": "lines[2].amount", "detail": …}``."""
    if isinstance(detail, dict):
        return [e for key, value in detail.items() for e in _flatten(value, _join(path, key))]
    if isinstance(detail, list) and any(isinstance(item, dict) for item in detail):
        return [e for i, value in enumerate(detail) for e in _flatten(value, f"{path}[{i}]")]
    if isinstance(detail, list):
        return [{"field": path, "detail": str(item)} for item in detail]
    return [{"field": path, "detail": str(detail)}]


def _join(path: str, key: str | int) -> str:
    if key == "non_field_errors":
        return path
    if isinstance(key, int):  # a list names only those of its items that are wrong
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key
