import psycopg
from django.db import IntegrityError, InterfaceError, InternalError, OperationalError, connection

FAULTS = (OperationalError, InterfaceError, InternalError)
BUSY_SQLSTATES = {"40001", "40P01", "55P03", "57014"}
ENDED_SQLSTATES = {"25P03", "25P04", "25006"}


def sqlstate_of(error: BaseException) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)


def is_database_fault(error: BaseException) -> bool:
    """Not a bug of ours: it is busy, away, has ended our session, or has become a standby that takes no writes."""
    if isinstance(error, InternalError):
        return sqlstate_of(error) in ENDED_SQLSTATES
    return isinstance(error, OperationalError | InterfaceError)


def is_busy(error: BaseException) -> bool:
    """It is there, and somebody else was in the way."""
    return sqlstate_of(error) in BUSY_SQLSTATES


def name_of(error: BaseException) -> str:
    """For the log: what went wrong, without a word of what was sent."""
    return type(error.__cause__ or error).__name__


def constraint_of(error: IntegrityError) -> str | None:
    """The name of the constraint that was broken."""
    found: str | None = error.__cause__.diag.constraint_name if isinstance(error.__cause__, psycopg.Error) else None
    return found


def take_time() -> None:
    """Lift the limits of the web for this transaction: behind a pooler they are the role's, and so a command's too."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
