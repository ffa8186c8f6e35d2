"""What LightCycler 96 files say of reactions outside their RDML document: calls, Cq, failures, standards, exclusions.

`calculated_data.xml` names every curve (`factGraph`, by react and target) and calls it; analyses (`absQuantDataSource`,
by the id of the curve) add Cq, concentration and failure. `app_data.xml` holds the concentrations entered,
`module_data.xml` what was excluded. The software states a Cq for every curve; it is one only where the call is
Positive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.numerals import finite_or_none
from bcrabl.formats.source import RawFile, text_of
from bcrabl.formats.xmltree import LARGEST_XML, parse, root_name

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["CALLED_POSITIVE", "Graph", "is_lightcycler_96", "read_graphs"]

_CALCULATED = ("calculated_data.xml", "rocheLC96CalculatedData")
_MODULES = ("module_data.xml", "rocheLC96ModuleData")
_APP = ("app_data.xml", "rocheLC96AppExtension")
CALLED_POSITIVE = "Positive"
_CALLS = (CALLED_POSITIVE, "Negative", "Invalid")
_NO_FAILURE = ("", "None")
_TRUTHS = {"true": True, "1": True, "false": False, "0": False, "": False}


@dataclass
class Graph:
    """What the file says of one curve.

    Parameters
    ----------
    key : run id, react id and target id.
    calls : Positive, Negative or Invalid: the software's call first, then those of the analyses.
    cqs, concentrations : what the analyses found; more than one where these differ.
    entered : concentrations entered for a standard; more than one where the documents differ.
    failures : what an analysis holds against it.
    excluded : whether it was excluded, in an analysis or altogether.
    """

    key: tuple[str, str, str]
    calls: list[str] = field(default_factory=list)
    cqs: set[float] = field(default_factory=set)
    concentrations: set[float] = field(default_factory=set)
    entered: set[float] = field(default_factory=set)
    failures: set[str] = field(default_factory=set)
    excluded: bool = False


def is_lightcycler_96(source: RawFile) -> bool:
    """Whether a zip archive holds the calculated data of a LightCycler 96."""
    name, root = _CALCULATED
    archive = source.archive
    return archive is not None and name in archive.names and root_name(text_of(archive.head(name))) == root


def read_graphs(source: RawFile) -> list[Graph]:
    """Every curve that the documents beside the RDML document know.

    Raises
    ------
    DamagedFile : a document is broken or missing, a value is none, or an id stands for no curve or two.
    """
    calculated = _document(source, *_CALCULATED)
    problems: list[Problem] = []
    graphs = _called(calculated, f"{source.path}, {_CALCULATED[0]}", problems)
    _add_analyses(calculated, graphs, f"{source.path}, {_CALCULATED[0]}", problems)
    _add_entered(_document(source, *_APP), graphs, f"{source.path}, {_APP[0]}", problems)
    _add_exclusions(_document(source, *_MODULES), graphs, f"{source.path}, {_MODULES[0]}", problems)
    if problems:
        raise DamagedFile(problems)
    return list(graphs.values())


def _document(source: RawFile, name: str, root: str) -> Element:
    where = f"{source.path}, {name}"
    remedy = "Save the experiment in the LightCycler 96 software again."
    if source.archive is None or name not in source.archive.names:
        raise DamagedFile(Problem(where, "no such member of the archive", f"a document {root}", remedy))
    document = parse(source.archive.read(name, LARGEST_XML), where)
    if document.tag != root:
        raise DamagedFile(Problem(where, f"a document {document.tag!r}", root, remedy))
    return document


def _fact_graphs(root: Element) -> Iterable[tuple[tuple[str, str, str], Element]]:
    for run in root.iterfind("experiment/run"):
        for react in run.iterfind("react"):
            for graph in react.iterfind("factGraph"):
                yield (run.get("id", ""), react.get("id", "").strip(), graph.get("targetId", "")), graph


def _called(root: Element, where: str, problems: list[Problem]) -> dict[str, Graph]:
    """Every curve by its id, with the software's call."""
    graphs: dict[str, Graph] = {}
    keys = set()
    for key, element in _fact_graphs(root):
        graph_id = element.get("id", "")
        if not graph_id or graph_id in graphs or key in keys:
            place = f"{where}, react {key[1]!r}, target {key[2]!r}"
            problems.append(Problem(place, f"a second or unnamed curve {graph_id!r}", "one curve of each id"))
            continue
        keys.add(key)
        graphs[graph_id] = Graph(key)
        _add_call(graphs[graph_id], element.findtext("call"), where, problems)
    return graphs


def _add_call(graph: Graph, text: str | None, where: str, problems: list[Problem]) -> None:
    call = (text or "").strip()
    if call in _CALLS:
        graph.calls.append(call)
    elif call:
        place = f"{where}, react {graph.key[1]!r}, target {graph.key[2]!r}"
        problems.append(Problem(place, f"call {call!r}", f"one of {', '.join(_CALLS)}"))


def _analysed(root: Element) -> Iterable[tuple[str, Element]]:
    """What analyses of absolute quantification say of curves, with the curve's id."""
    for element in root.iter("absQuantDataSource"):
        yield (element.findtext("graphId") or "").strip(), element


def _add_analyses(root: Element, graphs: dict[str, Graph], where: str, problems: list[Problem]) -> None:
    for graph_id, element in _analysed(root):
        graph = _known(graph_id, graphs, where, problems)
        if graph is None:
            continue
        _add_call(graph, element.findtext("call"), where, problems)
        for name, values in (("cq", graph.cqs), ("concentration", graph.concentrations), ("standard", graph.entered)):
            _add_number(values, element.findtext(name), f"{where}, curve {graph_id}, {name}", problems)
        failure = (element.findtext("failureType") or "").strip()
        if failure not in _NO_FAILURE:
            graph.failures.add(failure)


def _known(graph_id: str, graphs: dict[str, Graph], where: str, problems: list[Problem]) -> Graph | None:
    graph = graphs.get(graph_id)
    if graph is None:
        problems.append(Problem(where, f"a result of curve {graph_id!r}", "a curve that the file defines"))
    return graph


def _add_number(values: set[float], text: str | None, where: str, problems: list[Problem]) -> None:
    stated = (text or "").strip()
    if not stated:
        return
    value = finite_or_none(stated)
    if value is None:
        problems.append(Problem(where, repr(stated), "a number"))
    else:
        values.add(value)


def _add_entered(root: Element, graphs: dict[str, Graph], where: str, problems: list[Problem]) -> None:
    for _, element in _fact_graphs(root):
        graph_id = element.get("id", "")
        graph = _known(graph_id, graphs, where, problems)
        if graph is not None:
            place = f"{where}, curve {graph_id}"
            _add_number(graph.entered, element.get("geneConcentration"), place, problems)
            graph.excluded |= _is_true(element.get("isExcluded"), place, problems)


def _add_exclusions(root: Element, graphs: dict[str, Graph], where: str, problems: list[Problem]) -> None:
    for graph_id, element in _analysed(root):
        graph = _known(graph_id, graphs, where, problems)
        if graph is not None:
            graph.excluded |= _is_true(element.findtext("excluded"), f"{where}, curve {graph_id}", problems)


def _is_true(text: str | None, where: str, problems: list[Problem]) -> bool:
    truth = _TRUTHS.get((text or "").strip().lower())
    if truth is None:
        problems.append(Problem(where, f"excluded {text!r}", "true or false"))
    return bool(truth)
