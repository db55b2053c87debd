"""Mistakes that a person or a program can act on: each has a stable code and a sentence that says what to do."""


class VaultError(Exception):
    """The root of every expected mistake. ``code`` is stable and public; ``status`` is its HTTP answer."""

    code = "error"
    status = 400


class NotFound(VaultError):
    """What was asked for does not exist, or not for whoever asked."""

    code = "not_found"
    status = 404


class Refused(VaultError):
    """Whoever asked may not do this."""

    code = "refused"
    status = 403


class Conflict(VaultError):
    """The state of the thing does not allow what was asked; nothing was changed."""

    code = "conflict"
    status = 409


class Invalid(VaultError):
    """A value is wrong; ``field`` names it."""

    code = "invalid"
    status = 400

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field
