"""Turn the plain JSON of parameters into the protocol's types, or into a sentence about what is wrong with it.

Stricter than lsprotocol's own converter in one thing: a value of another type is refused, not rewritten (`null` for a
changed text would otherwise be typed into the document as `None`). More lenient in another: trigger kinds.
"""

from enum import Enum
from functools import cache
from typing import Any, TypeVar

import cattrs
from lsprotocol import converters, types
from pygls.exceptions import JsonRpcInvalidParams

Params = TypeVar("Params")


@cache
def strict_converter() -> cattrs.Converter:
    """Return the converter of this server."""
    converter = converters.get_converter()
    for kind in (str, bool, int, float):
        converter.register_structure_hook(kind, _strict)
    converter.register_structure_hook(types.InlineCompletionTriggerKind, _inline_trigger)
    converter.register_structure_hook(types.CompletionTriggerKind, _menu_trigger)
    return converter


def structured(params: Any, kind: type[Params]) -> Params:
    """Return parameters as their type. Raises JsonRpcInvalidParams, which says where they are wrong."""
    try:
        return strict_converter().structure({} if params is None else params, kind)
    except cattrs.BaseValidationError as error:
        problems = cattrs.transform_error(error, path="params")
        raise JsonRpcInvalidParams("; ".join(problems[:3])) from error
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise JsonRpcInvalidParams(f"The parameters are no {kind.__name__}.") from error


def _strict(value: Any, kind: type[Any]) -> Any:
    """Return the value if it is of that kind. Some clients' JSON libraries write whole numbers as `2.0`.

    Members of the protocol's enumerations are numbers, too: `"severity": 1`.
    """
    if issubclass(kind, Enum):
        return kind(_strict(value, type(next(iter(kind)).value)))
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise TypeError(f"must be {kind.__name__}, not {type(value).__name__}")
    return value


def _inline_trigger(value: Any, _: Any) -> types.InlineCompletionTriggerKind:
    """Return how ghost text was asked for. Drafts of the protocol counted from 0; what is new is no explicit wish."""
    explicit = _strict(value, int) in (0, types.InlineCompletionTriggerKind.Invoked.value)
    return types.InlineCompletionTriggerKind.Invoked if explicit else types.InlineCompletionTriggerKind.Automatic


def _menu_trigger(value: Any, _: Any) -> types.CompletionTriggerKind:
    """Return how the menu was opened; a way that is not known yet is the usual one."""
    known = [kind for kind in types.CompletionTriggerKind if kind.value == _strict(value, int)]
    return known[0] if known else types.CompletionTriggerKind.Invoked
