"""Configuration as code: one directory of YAML and CSV that says who, what, how much and where to.

`models` are the files' shapes, `load` reads them with file and line for every fault
(`check` lists them), `crosscheck` compares
them, `roster` publishes the people to the database, `starter` is what `uptake init` writes.
"""

from uptake.workspace.load import InvalidWorkspaceError, load_workspace, load_workspaces
from uptake.workspace.models import Workspace
from uptake.workspace.roster import publish_roster

__all__ = [
    "InvalidWorkspaceError",
    "Workspace",
    "load_workspace",
    "load_workspaces",
    "publish_roster",
]
