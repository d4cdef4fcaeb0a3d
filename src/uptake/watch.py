"""Workspaces that follow their files: a changed file is in force within a tick, a broken one changes nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from uptake.errors import UptakeError, UsageError, WorkspaceError
from uptake.workspace.models import Workspace

log = structlog.get_logger(__name__)

Signature = frozenset[tuple[str, int, int]]


class WatchedWorkspaces:
    """The workspaces of a directory as they are now. `changed` is told when they were read anew.

    A directory that has become wrong is not taken over: the last good workspaces stay, `problem` says why.
    """

    def __init__(
        self,
        directory: Path,
        load: Callable[[], Mapping[str, Workspace]],
        changed: Callable[[Mapping[str, Workspace]], None],
    ) -> None:
        """Raises WorkspaceError when the directory is wrong at the start."""
        self._directory = directory
        self._load = load
        self._changed = changed
        self._seen = _signature(directory)
        self._current = load()
        self.problem = ""
        changed(self._current)

    def refresh(self) -> Mapping[str, Workspace]:
        """Look at the files and return the workspaces in force."""
        seen = _signature(self._directory)
        if seen != self._seen:
            try:
                workspaces = self._load()
            except (WorkspaceError, UsageError, OSError) as error:
                self.problem = error.message if isinstance(error, UptakeError) else type(error).__name__
                log.error(
                    "the workspace has errors; its last good state stays in force", problems=self.problem
                )
            else:
                self._changed(workspaces)
                self._current, self.problem = workspaces, ""
                log.info("the workspace was read anew", tenants=sorted(workspaces))
            self._seen = seen
        return self._current

    @property
    def current(self) -> Mapping[str, Workspace]:
        """The workspaces as of the last refresh. Safe from any thread."""
        return self._current

    def get(self, tenant: str) -> Workspace | None:
        """A tenant's workspace as of the last refresh. Safe from any thread."""
        return self._current.get(tenant)


def _signature(directory: Path) -> Signature:
    """What changes when a file is written: names, sizes, times. What cannot be looked at (an editor's dangling lock
    link, a file that is just being replaced) is not there."""
    seen = set()
    for path in directory.rglob("*"):
        if path.suffix in (".yaml", ".yml", ".csv"):
            with contextlib.suppress(OSError):
                stat = path.stat()
                seen.add((str(path), stat.st_size, stat.st_mtime_ns))
    return frozenset(seen)
