"""Any exception as an error that a person can act on, without the values that it carries: they may be people's."""

from __future__ import annotations

import traceback

from uptake.errors import UnavailableError, UptakeError


def explained(error: Exception) -> UptakeError:
    """Ours as they are, the neighbours' (files, database, state store) by what to do, anything else as a bug."""
    if isinstance(error, UptakeError):
        return error
    module = type(error).__module__.split(".")[0]
    if module == "clickhouse_connect":
        code = getattr(error, "code", None) or ""
        return UnavailableError(
            f"the database refused or did not answer ({type(error).__name__} {code}".rstrip() + ")",
            "`uptake doctor` says whether it is there; trying again is safe",
        )
    if module == "sqlalchemy":
        return UnavailableError(
            f"the state store refused or did not answer ({type(error).__name__})",
            "look at UPTAKE_STATE_URL and at the disk it is on; trying again is safe",
        )
    if isinstance(error, OSError):
        name = f": {error.filename}" if error.filename else ""
        reason = error.strerror or type(error).__name__
        return UptakeError(f"{reason}{name}", "look at the path, its permissions and the disk it is on")
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return UptakeError(
        f"a bug: {type(error).__name__} in {frame.name}, line {frame.lineno}",
        "please report it with the command that you typed; nothing was lost",
    )
