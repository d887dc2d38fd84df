from typing import Any, ClassVar


class DomainError(Exception):
    """The state of the shop refuses this.

    `code` is part of the API: it never changes its meaning. The message is one sentence for a person. How it becomes
    HTTP is the business of `ecommerce.api.problems`.
    """

    code: ClassVar[str]

    def data(self) -> dict[str, Any]:
        """What a program needs to act on the refusal, ready for JSON."""
        return {}


class IdempotencyMismatch(DomainError):
    """The key has been used for another request."""

    code = "idempotency_mismatch"

    def __init__(self) -> None:
        super().__init__("This idempotency key was used for a different request. Send a new request with a new key.")
