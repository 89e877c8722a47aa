"""A block of datatrove by its name: found, its arguments held against its signature, and made, once a process."""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import pkgutil
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from connectors.errors import UserError, missing_extra, nearest

PACKAGES = ("datatrove.pipeline.filters", "datatrove.pipeline.formatters", "datatrove.pipeline.extractors")
REFUSED = {
    "exclusion_writer": "the ledger holds what is removed, and why",
    "timeout": "a limit by the clock would give other documents on a slower machine",
}
"""Arguments that no block may be given, and why."""


@functools.cache
def made(block: str, arguments: str) -> Any:
    """The block of that name, made with arguments that are a JSON object. Raises `UserError` for any mistake in them.

    Source: datatrove 0.10.1, pipeline/base.py, `PipelineStep`.
    """
    kind = find(block)
    given = checked(kind, json.loads(arguments))
    try:
        return kind(**given)
    except Exception as error:
        raise UserError(f"datatrove: {kind.__name__} cannot be made: {first_line(error)}") from None


def first_line(error: Exception) -> str:
    """What an error says, in one line."""
    return str(error).partition("\n")[0] or type(error).__name__


def own_code(block: str, arguments: str) -> tuple[str, ...]:
    """`module:name` of the class and the functions in its arguments that are not datatrove's."""
    kind = find(block)
    code = [value for value in (kind, *checked(kind, json.loads(arguments)).values()) if callable(value)]
    paths = [(getattr(value, "__module__", ""), getattr(value, "__qualname__", "")) for value in code]
    return tuple(f"{module}:{name}" for module, name in paths if not module.startswith("datatrove."))


def find(block: str) -> type[Any]:
    """The class of a filter, formatter or extractor: by its name in datatrove, or by a path for any, one's own too.

    Raises `UserError` where there is none, or datatrove is not installed.
    """
    known = shipped_blocks()
    if block in known:
        return known[block]
    if "." not in block and ":" not in block:
        raise UserError(f"datatrove has no block '{block[:60]}'.{nearest(block, known)}")
    try:
        found = pkgutil.resolve_name(block)
    except (ImportError, AttributeError, ValueError) as error:
        name = block.rpartition(":" if ":" in block else ".")[2]
        near = nearest(name, known) if block.startswith("datatrove.") else " Is its folder on PYTHONPATH?"
        raise UserError(f"datatrove: cannot find '{block[:100]}': {error}.{near}") from None
    if not (isinstance(found, type) and issubclass(found, _kinds())) or inspect.isabstract(found):
        raise UserError(
            f"datatrove: {block[:100]} is no filter, formatter or extractor: only those judge single documents"
        )
    return found


@functools.cache
def shipped_blocks() -> dict[str, type[Any]]:
    """datatrove's own filters, formatters and extractors by name. Raises `UserError` where it is not installed."""
    try:
        modules = [importlib.import_module(package) for package in PACKAGES]
        importlib.import_module("loguru").logger.disable("datatrove")  # nothing of a document in a log
    except ImportError:
        raise missing_extra("datatrove", "parity") from None
    values = [value for module in modules for value in vars(module).values()]
    return {value.__name__: value for value in values if isinstance(value, type) and issubclass(value, _kinds())}


@functools.cache
def _kinds() -> tuple[type[Any], ...]:
    filters, formatters, extractors = (
        importlib.import_module(f"{package}.{module}")
        for package, module in zip(PACKAGES, ("base_filter", "base", "base"), strict=True)
    )
    return filters.BaseFilter, formatters.BaseFormatter, extractors.BaseExtractor


def checked(kind: type[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as the class takes them: a list is a tuple where it takes only that, `module:name` is a function.

    Raises `UserError` for one that is unknown, refused, missing, or plainly of another type. The types in datatrove's
    signatures are not meant strictly: a number is any number, and what a list holds is left to the block.
    """
    parameters = dict(list(inspect.signature(kind.__init__).parameters.items())[1:])
    names = {
        name for name, parameter in parameters.items() if parameter.kind is parameter.KEYWORD_ONLY or _named(parameter)
    }
    for name in arguments:
        if name in REFUSED:
            raise UserError(f"datatrove: {kind.__name__} cannot be given '{name}' here: {REFUSED[name]}")
        if name not in names and not any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
            known = nearest(name, names - REFUSED.keys())
            raise UserError(f"datatrove: {kind.__name__} has no argument '{name[:60]}'.{known}")
    for name in names - arguments.keys():
        if parameters[name].default is inspect.Parameter.empty:
            raise UserError(f"datatrove: {kind.__name__} needs the argument '{name}': write args: {{{name}: …}}")
    hints = _hints(kind)
    return {name: _argument(kind, name, value, hints.get(name, Any)) for name, value in arguments.items()}


def _named(parameter: inspect.Parameter) -> bool:
    return parameter.kind is parameter.POSITIONAL_OR_KEYWORD


def _hints(kind: type[Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(kind.__init__)
    except Exception:  # a name that only a type checker knows
        return {}


def _argument(kind: type[Any], name: str, value: Any, hint: Any) -> Any:
    options = _options(hint)
    if Callable in options and isinstance(value, str):
        return _function(value, f"{kind.__name__}, argument '{name}'")
    default = inspect.signature(kind.__init__).parameters.get(name)
    if value is None and default is not None and default.default is None:
        return None
    if not any(_fits(value, option) for option in options):
        wanted = inspect.formatannotation(hint).replace("typing.", "")
        raise UserError(f"datatrove: {kind.__name__}, argument '{name}': {value!r:.60} is not {wanted:.80}")
    origins = {typing.get_origin(option) or option for option in options}
    return tuple(value) if isinstance(value, list) and tuple in origins and list not in origins else value


def _options(hint: Any) -> list[Any]:
    """The types that a hint allows; `Callable` is one whatever its signature."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return [option for part in typing.get_args(hint) for option in _options(part)]
    return [Callable] if typing.get_origin(hint) is typing.get_origin(Callable[[], None]) else [hint]


def _fits(value: Any, option: Any) -> bool:
    """Whether a value out of a recipe can be what a type says."""
    origin = typing.get_origin(option) or option
    if origin is Any:
        return True
    if origin is typing.Literal:
        return value in typing.get_args(option)
    if origin in (int, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if origin in (bool, str, dict, type(None)):
        return isinstance(value, origin)
    return isinstance(value, list) and isinstance(origin, type) and issubclass(origin, Iterable)


def _function(path: str, where: str) -> Any:
    """The function at `module:name`. Raises `UserError` for none."""
    try:
        found = pkgutil.resolve_name(path)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"datatrove: {where}: cannot find '{path[:100]}': {error}. Write module:function") from None
    if not callable(found):
        raise UserError(f"datatrove: {where}: '{path[:100]}' is not a function")
    return found
