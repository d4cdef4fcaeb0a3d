"""Columns of values as Arrow arrays and back as numbers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Column = Sequence[Any]
Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]

TEXT = pa.string()
WORD = pa.dictionary(pa.int32(), TEXT)
"""Few different texts: LowCardinality(String) in ClickHouse."""

_repeat: Callable[[Any, int], Any] = pa.repeat  # typed for each type apart; here the type is a value


class Known(NamedTuple):
    """Numbers, 0 where they are not `known`."""

    values: Numbers
    known: Mask


def numbers(values: Sequence[int | None]) -> Known:
    array = pa.array(values, pa.int64())
    if array.null_count == 0:
        return Known(array.to_numpy(), np.ones(len(values), np.bool_))
    known: Mask = array.is_valid().to_numpy(zero_copy_only=False)
    return Known(array.fill_null(0).to_numpy(), known)


def optional(column: Known, kind: pa.DataType) -> Any:
    """Back as an Arrow array, with null where a number is not known."""
    known = column.known
    return pa.array(column.values, kind, mask=None if known.all() else ~known)


def array(values: Any, kind: pa.DataType) -> Any:
    """A Column as an Arrow array; what is one already stays as it is. Many columns hold one value from top to bottom,
    and need not be converted one by one."""
    if isinstance(values, pa.Array):
        return values
    first, length = values[0], len(values)
    alike = first == values[-1] == values[length // 2] and not pa.types.is_nested(kind)
    if not alike or values.count(first) != length:
        return pa.array(values, kind)
    return repeated(first, length, kind)


def repeated(value: Any, length: int, kind: pa.DataType) -> Any:
    if pa.types.is_dictionary(kind):
        return _repeat(pa.scalar(value, kind.value_type), length).dictionary_encode()
    return _repeat(pa.scalar(value, kind), length)


def words(each: Sequence[str], which: NDArray[np.intp]) -> Any:
    """A column of WORD: of each row the one with the number in `which`."""
    distinct = {word: number for number, word in enumerate(dict.fromkeys(each))}
    codes = np.array([distinct[word] for word in each], np.int32)
    return pa.DictionaryArray.from_arrays(codes[which], pa.array(list(distinct), TEXT))
