"""Errors that people read: one line with the cause, one with the remedy.

UptakeError                  exit 1  something failed
├── UsageError               exit 2  the command or a file it names is wrong
├── WorkspaceError           exit 3  the workspace has errors (each with file, line and reason)
└── UnavailableError         exit 4  something that is needed does not answer; trying again is safe
"""

from __future__ import annotations


class UptakeError(Exception):
    """An expected failure: `message` says what is wrong, `hint` what to do. Shown without a traceback."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(UptakeError):
    exit_code = 2


class WorkspaceError(UptakeError):
    exit_code = 3


class UnavailableError(UptakeError):
    exit_code = 4
