"""JSON Schemas (2020-12) of everything a laboratory fills in, and how a value that does not fit is put into words.

A schema file is also the documentation of its sheet: each property has a `description`. Beyond the standard keywords
three annotations are understood: `x-expected` (what is allowed, in words, where the keyword alone would read as a
riddle), `x-hint` (what to do about it) and, for sheets, `x-may-be-empty` (a sheet with a header only is meant).

YAML is read with the safe loader; a key given twice, `.nan` and `.inf` are refused instead of guessed at.
This module is imported when the Snakefile is parsed, so the libraries it needs are imported inside the functions.
"""

from __future__ import annotations

import difflib
import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bcrabl.errors import BcrablError, Problem, SheetError

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

__all__ = [
    "check_document",
    "compile_schema",
    "load_schema",
    "load_yaml",
    "parse_yaml",
    "read_text",
    "schema_folder",
    "standards_folder",
    "suggest",
    "words_for",
]

Fault = type[BcrablError]

_PACKAGED = Path(__file__).parent / "_resources"
_REPOSITORY = Path(__file__).resolve().parents[2]


def schema_folder() -> Path:
    """The folder of the JSON Schemas: inside an installed package, else in the repository."""
    packaged = _PACKAGED / "schemas"
    return packaged if packaged.is_dir() else _REPOSITORY / "workflow" / "schemas"


def standards_folder() -> Path:
    """The folder of the shipped standards: inside an installed package, else in the repository."""
    packaged = _PACKAGED / "standards"
    return packaged if packaged.is_dir() else _REPOSITORY / "resources" / "standards"


def read_text(path: str | Path, fault: Fault = SheetError) -> str:
    """The text of a UTF-8 file, with or without byte-order mark.

    Raises
    ------
    BcrablError : of kind `fault`; the file is missing, unreadable or in another encoding.
    """
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise fault(Problem(str(path), f"no readable file ({reason})", "a UTF-8 text file")) from error
    return _utf8(content, path, fault)


def _utf8(content: bytes, path: str | Path, fault: Fault) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        remedy = "Save it as 'Text (tab delimited)' in UTF-8, not as 'Unicode Text'."
        raise fault(Problem(str(path), "UTF-16 text", "UTF-8 text", remedy))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        found = f"byte 0x{content[error.start]:02x}, which is not UTF-8"
        remedy = "Save the file with the encoding UTF-8."
        raise fault(Problem(f"{path}, row {row}", found, "UTF-8 text", remedy)) from error


# -- YAML -------------------------------------------------------------------------------------------------------------


def load_yaml(path: str | Path, fault: Fault = SheetError) -> Any:
    """What a YAML file holds, read safely.

    Raises
    ------
    BcrablError : of kind `fault`; not readable, not YAML, a key given twice or a number that is not finite.
    """
    return _parsed(read_text(path, fault), path, fault)


def parse_yaml(content: bytes, label: str, fault: Fault = SheetError) -> Any:
    """What the bytes of a YAML file hold; `label` is what error texts call it.

    Raises
    ------
    BcrablError : as `load_yaml`.
    """
    return _parsed(_utf8(content, label, fault), label, fault)


def _parsed(text: str, path: str | Path, fault: Fault) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=_strict_loader())  # noqa: S506  (a safe loader, made stricter)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, row {mark.line + 1}" if mark else str(path)
        found = str(getattr(error, "problem", None) or error)
        raise fault(Problem(where, found, "YAML that can be read in one way only")) from error
    except (ValueError, LookupError, AttributeError, RecursionError) as error:  # PyYAML on values like 2026-13-45
        raise fault(Problem(str(path), f"a value that YAML cannot read ({error})", "valid YAML")) from error


@functools.cache
def _strict_loader() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class StrictLoader(base):  # type: ignore[misc]
        pass

    def mapping(loader: Any, node: Any) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name is not None and name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {name!r} given twice", key.start_mark)
            seen.add(name)
        return dict(loader.construct_mapping(node, deep=True))

    def number(loader: Any, node: Any) -> float:
        value = float(loader.construct_yaml_float(node))
        if not math.isfinite(value):
            raise yaml.constructor.ConstructorError(None, None, f"the number {node.value}", node.start_mark)
        return value

    StrictLoader.add_constructor("tag:yaml.org,2002:map", mapping)
    StrictLoader.add_constructor("tag:yaml.org,2002:float", number)
    return StrictLoader


# -- schemas ----------------------------------------------------------------------------------------------------------


def load_schema(name: str, folder: str | Path | None = None, fault: Fault = SheetError) -> dict[str, Any]:
    """The schema `name` ("runs" for runs.schema.yaml)."""
    path = Path(schema_folder() if folder is None else folder) / f"{name}.schema.yaml"
    schema = load_yaml(path, fault)
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
        raise fault(Problem(str(path), "no properties", "a JSON Schema of an object"))
    return schema


def compile_schema(schema: Mapping[str, Any]) -> Draft202012Validator:
    """The validator of a schema; dates are checked as dates."""
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def check_document(document: Any, schema: Mapping[str, Any], label: str) -> list[Problem]:
    """Every place where a YAML document does not fit its schema.

    Parameters
    ----------
    document : what the YAML file holds.
    schema : its JSON Schema.
    label : the file, as it is to be named in the message.
    """
    errors = sorted(compile_schema(schema).iter_errors(document), key=lambda error: list(map(str, error.path)))
    problems = [problem for error in errors for problem in _problems_of(error, label)]
    return list(dict.fromkeys(problems))


def words_for(error: ValidationError) -> tuple[str, str]:
    """What was expected and what to do about it, for one violated keyword."""
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    allowed: Any = error.validator_value
    in_words = _IN_WORDS.get(str(error.validator))
    expected = schema.get("x-expected") or (in_words(allowed) if in_words else error.message)
    return str(expected), str(schema.get("x-hint") or _remedy(error))


def suggest(name: object, known: Iterable[str]) -> str:
    """The sentence "Did you mean …?" where one of the known names comes close, else nothing."""
    by_fold = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(str(name).casefold(), by_fold, n=1, cutoff=0.6)
    return f"Did you mean {by_fold[close[0]]!r}?" if close else ""


def _remedy(error: ValidationError) -> str:
    allowed: Any = error.validator_value
    if error.validator == "enum":
        return suggest(error.instance, map(str, allowed))
    number_as_text = error.validator == "type" and allowed == "number" and isinstance(error.instance, str)
    return "Without quotes, with a point and without exponent: YAML reads 1e6 as text." if number_as_text else ""


def _problems_of(error: ValidationError, label: str) -> Iterator[Problem]:
    where = _place(label, error.absolute_path)
    instance: Any = error.instance
    demanded: Any = error.validator_value
    if error.validator == "required":
        missing = [key for key in demanded if key not in instance]
        yield from (Problem(where, f"no {key}", f"the key {key}") for key in missing)
    elif error.validator == "additionalProperties" and isinstance(error.schema, Mapping):
        known = list(error.schema.get("properties", {}))
        strangers = [key for key in instance if key not in known]
        for key in strangers:
            yield Problem(where, f"unknown key {key!r}", f"one of {', '.join(known)}", suggest(key, known))
    else:
        yield Problem(where, _shown(instance), *words_for(error))


def _place(label: str, path: Iterable[str | int]) -> str:
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return f"{label}, {''.join(steps).lstrip('.')}" if steps else label


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return f"a mapping with the keys {', '.join(map(str, value))}" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "nothing" if value is None else repr(value)


_KINDS = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "object": "a mapping",
    "array": "a list",
    "boolean": "true or false",
    "null": "nothing",
}

_IN_WORDS: dict[str, Callable[[Any], str]] = {
    "type": lambda kind: " or ".join(_KINDS[each] for each in ([kind] if isinstance(kind, str) else kind)),
    "enum": lambda allowed: f"one of {', '.join(map(str, allowed))}",
    "const": lambda allowed: f"{allowed}",
    "pattern": lambda pattern: f"text of the form {pattern}",
    "format": lambda name: f"a valid {name}",
    "minimum": lambda bound: f"a number of at least {bound:g}",
    "exclusiveMinimum": lambda bound: f"a number above {bound:g}",
    "maximum": lambda bound: f"a number of at most {bound:g}",
    "exclusiveMaximum": lambda bound: f"a number below {bound:g}",
    "minLength": lambda length: f"at least {length} characters",
    "maxLength": lambda length: f"at most {length} characters",
    "minItems": lambda count: f"at least {count} entries",
    "minProperties": lambda count: f"at least {count} entries",
    "uniqueItems": lambda _: "no entry twice",
}
