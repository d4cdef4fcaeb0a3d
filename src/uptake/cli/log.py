"""`uptake topics`: the log's topics, made and compared with what this version of Uptake wants them to be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from uptake.cli.app import app, read_settings
from uptake.cli.output import Json, err, out, print_json, print_table
from uptake.schemas.topic_plan import Action, Difference
from uptake.topics import Looked
from uptake.topics import topics as open_topics

topics = typer.Typer(help="The log's topics in Kafka.", no_args_is_help=True)
app.add_typer(topics, name="topics")

Replication = Annotated[
    int | None,
    typer.Option(
        min=1, max=9, help="replicas of a new topic; default: three, or one a broker where there are fewer"
    ),
]
_COLUMNS = ("topic", "what", "found", "wanted", "action")


@topics.command()
def apply(context: typer.Context, replication: Replication = None, as_json: Json = False) -> None:
    """Create the topics that are missing, and change what differs where nothing is lost by it. Running it again changes
    nothing."""
    with open_topics(read_settings(**context.obj), replication) as installed:
        looked = installed.apply(told=lambda difference: None if as_json else err.print(_line(difference)))
    if as_json:
        print_json(_document(looked))
        return
    left = looked.differences
    count = len({difference.topic for difference in looked.done})
    out.print(f"{count} topics created or changed" if count else "nothing to change", markup=False)
    _print_left(left)


@topics.command()
def diff(context: typer.Context, replication: Replication = None, as_json: Json = False) -> None:
    """Say how the topics differ from what this version wants, and change nothing. Exit code 1 when they do."""
    with open_topics(read_settings(**context.obj), replication) as installed:
        looked = installed.diff()
    if as_json:
        print_json(_document(looked))
    else:
        rows = [_row(difference) for difference in looked.differences]
        print_table(rows, _COLUMNS, "the topics are as they should be")
        _print_left([difference for difference in looked.differences if difference.action is Action.LEAVE])
    if looked.differences:
        raise typer.Exit(1)


def _print_left(left: Iterable[Difference]) -> None:
    for difference in left:
        err.print(
            f"left as it is: {difference.what} of {difference.topic} is {difference.found}, not {difference.wanted}: "
            f"{difference.reason}",
            markup=False,
        )


def _line(difference: Difference) -> str:
    if difference.action is Action.CREATE:
        return f"{difference.topic}: created with {difference.wanted}"
    return f"{difference.topic}: {difference.what} {difference.found} -> {difference.wanted}"


def _row(difference: Difference) -> dict[str, str]:
    return {
        "topic": difference.topic,
        "what": difference.what,
        "found": difference.found,
        "wanted": difference.wanted,
        "action": difference.action.value,
        "reason": difference.reason,
    }


def _document(looked: Looked) -> dict[str, Any]:
    return {
        "brokers": looked.brokers,
        "replication": looked.replication,
        "done": [_row(difference) for difference in looked.done],
        "differences": [_row(difference) for difference in looked.differences],
    }
