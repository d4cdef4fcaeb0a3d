"""`uptake migrate`, `uptake keys`, `uptake import`: the database, who may send to it, and loading files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from uptake.cli.app import app, open_home
from uptake.cli.output import Json, Tenant, err, out, print_json, print_rows
from uptake.cli.sending import sender
from uptake.errors import UsageError
from uptake.ingest.importer.report import ImportReport

keys = typer.Typer(help="API keys: who may send events, for which tenant.", no_args_is_help=True)
app.add_typer(keys, name="keys")

REJECTIONS_SHOWN = 20


class Kind(StrEnum):
    """What the rows of an imported file are."""

    USAGE = "usage"
    FEEDBACK = "feedback"
    COST = "cost"


@app.command()
def migrate(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print the SQL and change nothing")] = False,
    as_json: Json = False,
) -> None:
    """Bring the database's tables up to this version."""
    from uptake.sql.migrate import migrate as apply

    home = open_home(context)
    done = apply(home.unmigrated_database, dry_run=dry_run)
    if as_json:
        print_json(
            [
                {"file": migration.file, "checksum": migration.checksum, "applied": not dry_run}
                for migration in done
            ]
        )
    elif not done:
        out.print("nothing to do: the database is up to date")
    elif dry_run:
        for migration in done:
            out.print(f"-- {migration.file} (sha256 {migration.checksum[:12]})", markup=False)
            for statement in migration.pending:
                out.print(f"{statement};\n", markup=False)
    else:
        for migration in done:
            out.print(f"applied {migration.file}", markup=False)


@keys.command("create")
def create_key(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="for people, such as 'claims-letter, production'")],
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Make a key. Its token is shown this once and stored nowhere."""
    if not name.strip():
        raise UsageError("a key has a name", "say which app it is for: --name 'claims-letter, production'")
    home = open_home(context)
    key = home.keys.create(home.workspace(tenant).tenant, name)
    if as_json:
        print_json({"key_id": key.key_id, "token": key.token, "name": name})
        return
    out.print(key.token, markup=False)
    err.print("This token is shown once. Give it to the app as UPTAKE_API_KEY.")


@keys.command("list")
def list_keys(context: typer.Context, tenant: Tenant = None, as_json: Json = False) -> None:
    """Show all keys, never their secrets."""
    rows = [
        {
            "key_id": key.key_id,
            "tenant": key.tenant,
            "name": key.name,
            "created": key.created_at.isoformat(timespec="seconds"),
            "revoked": key.revoked_at.isoformat(timespec="seconds") if key.revoked_at else None,
        }
        for key in open_home(context).keys.list(tenant)
    ]
    print_rows(
        rows,
        ("key_id", "tenant", "name", "created", "revoked"),
        "no keys yet: uptake keys create --name my-app",
        as_json,
    )


@keys.command("revoke")
def revoke_key(
    context: typer.Context, key_id: Annotated[str, typer.Argument(help="as `keys list` shows it")]
) -> None:
    """Stop a key from working, within seconds everywhere."""
    if open_home(context).keys.revoke(key_id):
        out.print(f"revoked {key_id}", markup=False)
    else:
        out.print(f"{key_id} was revoked before", markup=False)


@app.command("import")
def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="a CSV, NDJSON or Parquet file", exists=True, dir_okay=False)],
    kind: Annotated[Kind, typer.Option("--as", help="what its rows are")],
    mapping: Annotated[
        Path,
        typer.Option(
            "--map", help="which column is which field (docs/import.md)", exists=True, dir_okay=False
        ),
    ],
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Load a file of events. Loading the same file again changes nothing."""
    from uptake.ingest.importer.run import import_file as load

    home = open_home(context)
    workspace = home.workspace(tenant)
    through_log = bool(home.settings.kafka)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=as_json,
    ) as progress:
        task = progress.add_task(file.name, total=file.stat().st_size, rows=0)
        report = load(
            file,
            kind.value,
            mapping,
            sender(context, home),
            workspace.tenant,
            home.clock,
            lambda done: progress.update(task, completed=done.bytes_done, rows=done.rows),
            pseudonym_key=home.pseudonym_key,
        )
    _print_report(report, as_json, through_log)
    if report.rejected:
        raise typer.Exit(1)


def _print_report(report: ImportReport, as_json: bool, through_log: bool) -> None:
    """What became of the rows. Behind a log nobody knows yet which of them were in before: not none, but null."""
    if as_json:
        rejected = [dict(row._asdict(), reason=str(row.reason)) for row in report.rejected]
        print_json(
            {
                "rows": report.rows,
                "accepted": report.accepted,
                "duplicates": None if through_log else report.duplicates,
                "skipped": report.skipped,
                "rejected": rejected,
            }
        )
        return
    said = [f"{report.accepted:,} accepted"]
    if not through_log:
        said.append(f"{report.duplicates:,} known already")
    said.append(f"{len(report.rejected):,} rejected")
    if report.skipped:
        said.append(f"{report.skipped:,} empty")
    out.print(f"{report.rows:,} rows: {', '.join(said)}")
    if through_log:
        out.print("They are in Kafka: only the workers, which store them, see what was known already.")
    for row in report.rejected[:REJECTIONS_SHOWN]:
        where = f"line {row.line}" + (f": {row.path}" if row.path else "")
        out.print(f"  {where}: {row.detail} ({row.reason})", markup=False)
    if len(report.rejected) > REJECTIONS_SHOWN:
        out.print(f"  … and {len(report.rejected) - REJECTIONS_SHOWN:,} more; --json shows all")
