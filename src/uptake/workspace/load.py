"""From a directory to a `Workspace`, or to every fault in it at once, each with file, line and reason."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from uptake.document import Document, parse
from uptake.errors import WorkspaceError
from uptake.problems import Problem, nearest
from uptake.validate import validated
from uptake.workspace.crosscheck import Draft, cross_check
from uptake.workspace.models import App, Budget, Channels, Model, Organisation, Price, Rate, Target, Workspace
from uptake.workspace.people import read_roster

ORGANISATION = "organisation.yaml"
ROSTER = "roster.csv"
FILES = (
    ORGANISATION,
    ROSTER,
    "apps.yaml",
    "budgets.yaml",
    "targets.yaml",
    "prices.yaml",
    "fx.yaml",
    "channels.yaml",
)

M = TypeVar("M", bound=Model)


class InvalidWorkspaceError(WorkspaceError):
    """The workspace has faults: `problems` holds all of them, the message one a line."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = [problem for problem in problems if problem.severity == "error"]
        super().__init__(
            "\n".join(str(problem) for problem in self.problems),
            "correct the files; `uptake workspace check` reads them again",
        )


def load_workspace(directory: Path, pseudonym_key: str | None) -> Workspace:
    """The workspace of one organisation. Raises InvalidWorkspaceError with every fault. Warnings are left out."""
    workspace, problems = read(directory, pseudonym_key)
    if workspace is None:
        raise InvalidWorkspaceError(problems)
    return workspace


def load_workspaces(directory: Path, pseudonym_key: str | None) -> dict[str, Workspace]:
    """Workspaces by tenant: `directory` is one, or holds one in each of its sub-directories."""
    workspaces, problems = read_all(directory, pseudonym_key)
    if any(problem.severity == "error" for problem in problems):
        raise InvalidWorkspaceError(problems)
    return {workspace.tenant: workspace for workspace in workspaces}


def homes(directory: Path) -> list[Path]:
    """The directories that hold a workspace: `directory` itself, or its visible sub-directories that do."""
    if (directory / ORGANISATION).is_file() or not directory.is_dir():
        return [directory]
    inner = [path for path in sorted(directory.iterdir()) if path.is_dir() and path.name[0] != "."]
    return [path for path in inner if any((path / name).is_file() for name in FILES)] or [directory]


def read_all(directory: Path, key: str | None) -> tuple[list[Workspace], list[Problem]]:
    """The workspaces in `directory` that are without errors, and all faults and warnings."""
    workspaces, problems = [], []
    first: dict[str, str] = {}
    for home in homes(directory):
        prefix = "" if home == directory else f"{home.name}/"
        workspace, found = read(home, key, prefix)
        problems += found
        if workspace is None:
            continue
        if workspace.tenant in first:
            reason = f"tenant {workspace.tenant!r} is also that of {first[workspace.tenant]}"
            problems.append(Problem(prefix + ORGANISATION, 0, reason, "each organisation has its own"))
        first[workspace.tenant] = prefix + ORGANISATION
        workspaces.append(workspace)
    return workspaces, problems


def read(
    directory: Path, pseudonym_key: str | None, prefix: str = "", roster: bytes | None = None
) -> tuple[Workspace | None, list[Problem]]:
    """The workspace, or None when it has errors; and all faults and warnings, in order of file and line.

    `prefix` stands before file names in faults; `roster` takes the place of what roster.csv holds.
    """
    if not (directory / ORGANISATION).is_file():
        hint = "`uptake init` writes a workspace to begin with"
        return None, [Problem(prefix + ORGANISATION, 0, "is missing", hint), *_misnamed(directory, prefix)]
    documents: dict[str, Document] = {}
    draft = Draft(documents)
    for name in FILES:
        path = directory / name
        replaced = roster if name == ROSTER else None
        if replaced is None and not path.is_file():
            continue
        content = path.read_bytes() if replaced is None else replaced
        if name == ROSTER:
            documents["roster"], draft.roster = read_roster(content, prefix + name, pseudonym_key)
        else:
            documents[path.stem] = parse(content, prefix + name)
    draft.organisation = _mapping(documents["organisation"], Organisation)
    draft.apps = _entries(documents.get("apps"), App)
    draft.budgets = _entries(documents.get("budgets"), Budget)
    draft.targets = _entries(documents.get("targets"), Target)
    draft.prices = _entries(documents.get("prices"), Price)
    draft.fx = _entries(documents.get("fx"), Rate)
    draft.channels = (
        _mapping(documents["channels"], Channels) if "channels" in documents else None
    ) or Channels()

    problems = [problem for document in documents.values() for problem in document.problems]
    problems += [*cross_check(draft), *_misnamed(directory, prefix)]
    order = {prefix + name: place for place, name in enumerate(FILES)}
    problems.sort(key=lambda problem: (order.get(problem.file, len(order)), problem.line))
    if draft.organisation is None or any(problem.severity == "error" for problem in problems):
        return None, problems
    return _assembled(draft, draft.organisation), problems


def _assembled(draft: Draft, organisation: Organisation) -> Workspace:
    workspace = Workspace(
        organisation=organisation,
        roster=tuple(person for _, person in draft.roster),
        apps=tuple(app for _, app in draft.apps),
        budgets=tuple(budget for _, budget in draft.budgets),
        targets=tuple(target for _, target in draft.targets),
        prices=tuple(price for _, price in draft.prices),
        fx=tuple(rate for _, rate in draft.fx),
        channels=draft.channels,
    )
    digest = sha256(workspace.model_dump_json(exclude={"digest"}).encode()).hexdigest()[:32]
    return workspace.model_copy(update={"digest": digest})


def _mapping(document: Document, model: type[M]) -> M | None:
    """The whole document as one `model`. An empty file is one without keys."""
    if document.value is None and not document.problems:
        document.value = {}
    return validated(model, document) if document.value is not None else None


def _entries(document: Document | None, model: type[M]) -> list[tuple[int, M]]:
    """The entries of a document that is a list, those that are valid, with their index."""
    if document is None or document.value is None:
        return []
    if not isinstance(document.value, list):
        stem = document.file.rsplit("/", 1)[-1].removesuffix(".yaml")
        reason = "is a list: each entry begins with `- `"
        wrapped = isinstance(document.value, dict) and stem in document.value
        hint = f"remove the line `{stem}:`; the file's name says it" if wrapped else ""
        document.problems.append(document.problem((), reason, hint))
        document.value = None
        return []
    read = [(i, validated(model, document, (i,))) for i in range(len(document.value))]
    return [(i, entry) for i, entry in read if entry is not None]


def _misnamed(directory: Path, prefix: str) -> list[Problem]:
    """Files that look like one of ours and are not read: a budget in `budgets.yml` would never fire."""
    found = []
    for path in sorted(directory.iterdir()) if directory.is_dir() else []:
        meant = (
            nearest(path.name, FILES) if path.suffix.lower() in (".yaml", ".yml", ".csv", ".tsv") else None
        )
        if path.name not in FILES and meant and not (directory / meant).is_file():
            found.append(Problem(prefix + path.name, 0, "is not read", f"did you mean {meant}?"))
    return found
