"""Refusals in the API server's own words, as recorded from a real one."""

from typing import Any, Final

Json = dict[str, Any]

PAGE_NOT_FOUND: Final = "404 page not found\n"
_TOO_OLD: Final = (
    "The provided continue parameter is too old to display a consistent list result. You can "
    "start a new list without the continue parameter, or use the continue token in this response "
    "to retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)


class RefusedError(Exception):
    """An answer of 400 or more; `body` is the Status object."""

    def __init__(self, code: int, reason: str, message: str, details: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.body = status(code, reason, message, details)


def status(code: int, reason: str, message: str, details: Json | None = None) -> Json:
    """A Status object of a failure."""
    body: Json = {
        "apiVersion": "v1",
        "code": code,
        "kind": "Status",
        "message": message,
        "metadata": {},
        "reason": reason,
        "status": "Failure",
    }
    return body if details is None else {**body, "details": details}


def _details(plural: str, name: str, group: str) -> Json:
    named = {"kind": plural, "name": name}
    return {**named, "group": group} if group else named


def _qualified(plural: str, group: str) -> str:
    return f"{plural}.{group}" if group else plural


def not_found(plural: str, name: str, group: str) -> RefusedError:
    """No object of that name."""
    message = f'{_qualified(plural, group)} "{name}" not found'
    return RefusedError(404, "NotFound", message, _details(plural, name, group))


def stale(plural: str, name: str, group: str) -> RefusedError:
    """A patch named a resourceVersion that is not the newest."""
    message = (
        f'Operation cannot be fulfilled on {_qualified(plural, group)} "{name}": the object has '
        "been modified; please apply your changes to the latest version and try again"
    )
    return RefusedError(409, "Conflict", message, _details(plural, name, group))


def precondition(kind: str, name: str, field: str, wanted: str, found: str) -> RefusedError:
    """A precondition of a delete does not hold; `field` is `UID` or `ResourceVersion`."""
    since = {"UID": "deleted and then recreated", "ResourceVersion": "modified"}[field]
    message = (
        f'Operation cannot be fulfilled on {kind} "{name}": the {field} in the precondition '
        f"({wanted}) does not match the {field} in record ({found}). The object might have been "
        f"{since}"
    )
    return RefusedError(409, "Conflict", message, {"kind": kind, "name": name})


def unprocessable() -> RefusedError:
    """A JSON patch that cannot be applied: a failed `test`, or a path that is not there."""
    message = "the server rejected our request due to an error in our request"
    return RefusedError(422, "Invalid", message, {})


def forbidden(kind: str, name: str, group: str, field: str, detail: str) -> RefusedError:
    """A value that the object may not have."""
    message = f'{_qualified(kind, group)} "{name}" is invalid: {field}: Forbidden: {detail}'
    cause = {"field": field, "message": f"Forbidden: {detail}", "reason": "FieldValueForbidden"}
    details = {**_details(kind, name, group), "causes": [cause]}
    return RefusedError(422, "Invalid", message, details)


def continue_too_old() -> RefusedError:
    """A continue token of a list that is no longer kept."""
    return RefusedError(410, "Expired", _TOO_OLD)


def watch_too_old(asked: int, oldest: int) -> Json:
    """What a watch from a forgotten version is told, inside an ERROR event."""
    return status(410, "Expired", f"too old resource version: {asked} ({oldest})")
