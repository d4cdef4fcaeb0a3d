"""pydantic's errors as problems of a file: the line of each, in words that say what would be right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar, get_args
from zoneinfo import available_timezones

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from uptake.document import Document, Path
from uptake.problems import Problem, did_you_mean, nearest

M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], document: Document, path: Path = ()) -> M | None:
    """The value at `path` as a `model`; on failure None, with every fault added to the document's problems."""
    try:
        return model.model_validate(document.at(path))
    except ValidationError as error:
        document.problems.extend(problems(error, model, document, path))
        return None


def problems(
    error: ValidationError, model: type[BaseModel], document: Document, path: Path = ()
) -> Iterator[Problem]:
    """Each fault of `error` with its line. A union reports one fault per member: the first is kept."""
    seen: set[Path] = set()
    for detail in error.errors(include_url=False, include_context=True):
        place = _place(document, path, detail)
        if place in seen:
            continue
        seen.add(place)
        reason, hint = describe(detail, model)
        unknown = detail["type"] == "extra_forbidden"
        yield document.problem((*path, *detail["loc"]) if unknown else place, reason, hint, key=unknown)


def _place(document: Document, path: Path, detail: ErrorDetails) -> Path:
    """The path of the value that is wrong: `loc` without the names of union members at its end."""
    place = (*path, *detail["loc"])
    if detail["type"] == "missing":
        return place
    while len(place) > len(path) and place not in document.values:
        place = place[:-1]
    return place


def describe(detail: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    """Reason and hint of one fault."""
    loc, kind, value = detail["loc"], detail["type"], detail["input"]
    name = ".".join(str(part) for part in loc if not str(part).startswith(("function-", "literal[")))
    if kind == "missing":
        return f"{name!r} is missing", ""
    if kind == "extra_forbidden":
        return f"unknown key {str(loc[-1])!r}", did_you_mean(str(loc[-1]), _fields(model, loc[:-1]))
    if kind == "zone":
        match = nearest(str(value), available_timezones())
        return f"{name}: {detail['msg']}", f"did you mean {match}?" if match else ""
    if kind in ("literal_error", "enum"):
        expected = str(detail.get("ctx", {}).get("expected", ""))
        choices = [choice.strip(" '") for choice in expected.replace(" or ", ",").split(",")]
        match = nearest(str(value), choices)
        return f"{name}: should be {expected}", f"did you mean {match}?" if match else ""
    if kind in ("tuple_type", "list_type") and isinstance(value, str):
        return f"{name}: should be a list", f"write [{value}]"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return f"{name or 'this'}: should be keys and values, such as `name: value`", ""
    if kind == "bool_parsing":
        return f"{name}: should be yes or no", ""
    if kind.endswith("_type") and value is None:
        return f"{name}: has no value", "give one, or remove the line"
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return (f"{name}: {message}" if name else message), ""


def _fields(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The names that a mapping at `loc` may hold."""
    for part in loc:
        field = model.model_fields.get(str(part))
        if field is not None:
            model = next(_models(field.annotation), model)
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
