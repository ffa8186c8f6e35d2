"""Small LightCycler 96 archives, built in memory: an RDML document and those beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from format_builders import data, points, rdml, rdml_run, react, target, zipped

RUN = "627e0ee4-0000-4118-8cbc-a07f1ff81f7e"


@dataclass(frozen=True)
class Well:
    """One well of one target: react id, sample and type, and what the documents say of its curve."""

    react: int = 1
    sample: str = "P1"
    rdml_type: str = "unkn"
    target: str = "FAM@BCR-ABL1"
    rdml_cq: str = "8.25"
    call: str | None = "Positive"
    analysis: Mapping[str, str] | None = None
    entered: str | None = None
    excluded: str = "false"
    excluded_altogether: str = "false"
    curve: Sequence[float] = tuple(round(0.3 + 2 / (1 + 2.0 ** (8 - c)), 6) for c in range(1, 13))

    @property
    def graph(self) -> str:
        """The id of the curve."""
        return f"{self.react:08x}-0000-0000-0000-{sum(map(ord, self.target)):012x}"


def analysed(cq: str = "8.25", call: str = "Positive", **more: str) -> dict[str, str]:
    """What an analysis of absolute quantification says of a curve."""
    stated = {"call": call, "editedCall": "false", "cq": cq, "epf": "2.7", "slope": "0.66", "failureType": "None"}
    return stated | more


PLATE = (
    Well(1, "Standard1", "std", entered="1000", analysis=analysed("6.1", standard="1000", concentration="1080.5")),
    Well(2, "Standard2", "std", entered="100", rdml_cq="9.4", excluded="true", analysis={}),
    Well(13, "P1", analysis=analysed(concentration="215.25")),
    Well(14, "Water", "ntc", rdml_cq="11.9", call="Negative", analysis=analysed("", "Negative")),
    Well(95, "", "ntp", rdml_cq="100", call="Invalid"),
)


def _sample_id(well: Well) -> str:
    return f"aaaaaaaa-0000-0000-0000-{well.react:012d}"


def _sample(well: Well) -> str:
    description = f"<description>{well.sample}</description>"
    return f'<sample id="{_sample_id(well)}">{description}<type>{well.rdml_type}</type></sample>'


def rdml_document(wells: Sequence[Well]) -> str:
    """The RDML document: samples with GUIDs for ids, one react for each well."""
    reacts: dict[int, list[Well]] = {}
    for well in wells:
        reacts.setdefault(well.react, []).append(well)
    run = rdml_run(
        *(
            react(
                number,
                _sample_id(together[0]),
                *(data(one.target, points(one.curve), f"<cq>{one.rdml_cq}</cq>") for one in together),
            )
            for number, together in reacts.items()
        ),
        run_id=RUN,
    )
    targets = [target(name, name.partition("@")[0]) for name in dict.fromkeys(well.target for well in wells)]
    samples = [_sample(together[0]) for together in reacts.values()]
    publisher = "<id><publisher>Roche Diagnostics</publisher><serialNumber>1</serialNumber></id>"
    return rdml(publisher, *samples, *targets, run, version="1.1")


def _elements(values: Mapping[str, str]) -> str:
    return "".join(f"<{name}>{value}</{name}>" for name, value in values.items())


def calculated(wells: Sequence[Well], more: str = "") -> str:
    """calculated_data.xml: a call for every curve, and one analysis."""
    graphs = "".join(
        f'<react id="{well.react}"><factGraph id="{well.graph}" targetId="{well.target}">'
        f"{'' if well.call is None else f'<call>{well.call}</call>'}<slope>0.6</slope></factGraph></react>"
        for well in wells
    )
    results = "".join(
        f"<absQuantDataSource><graphId>{well.graph}</graphId>{_elements(well.analysis)}</absQuantDataSource>"
        for well in wells
        if well.analysis is not None
    )
    return (
        '<rocheLC96CalculatedData xmlns="http://www.roche.ch/LC96CalculatedDataSchema"><experiment id="e">'
        f'<run id="{RUN}">{graphs}</run><moduleCalculatedData><dataSource>{results}{more}</dataSource>'
        "</moduleCalculatedData></experiment></rocheLC96CalculatedData>"
    )


def modules(wells: Sequence[Well]) -> str:
    """module_data.xml: what the analysis excludes."""
    listed = "".join(
        f"<absQuantDataSource><graphId>{well.graph}</graphId><excluded>{well.excluded}</excluded></absQuantDataSource>"
        for well in wells
        if well.analysis is not None
    )
    return (
        '<rocheLC96ModuleData xmlns="http://www.roche.ch/LC96ModuleDataSchema"><experiment id="e">'
        f"<dataSource>{listed}</dataSource></experiment></rocheLC96ModuleData>"
    )


def _entered(well: Well) -> str:
    return "" if well.entered is None else f'geneConcentration="{well.entered}" '


def app(wells: Sequence[Well]) -> str:
    """app_data.xml: concentrations entered, and curves excluded altogether."""
    graphs = "".join(
        f'<react id="{well.react}"><factGraph id="{well.graph}" targetId="{well.target}" '
        f"{_entered(well)}"
        f'isExcluded="{well.excluded_altogether}"/></react>'
        for well in wells
    )
    return (
        '<rocheLC96AppExtension softwareVersion="1.1.0.1320" xmlns="http://www.roche.ch/LC96AppExtensionSchema">'
        f'<experiment id="e"><run id="{RUN}">{graphs}</run></experiment></rocheLC96AppExtension>'
    )


def members(wells: Sequence[Well] = PLATE, more: str = "") -> dict[str, str | bytes]:
    """The members of an archive."""
    return {
        "rdml_data.xml": rdml_document(wells),
        "calculated_data.xml": calculated(wells, more),
        "module_data.xml": modules(wells),
        "app_data.xml": app(wells),
        "manifest.xml": "<lc96manifest/>",
    }


def lc96p(wells: Sequence[Well] = PLATE, **replaced: str | None) -> bytes:
    """An archive; members may be replaced or left out by name without ending."""
    changed = members(wells) | {f"{name}.xml": content for name, content in replaced.items()}
    return zipped({name: content for name, content in changed.items() if content is not None})


def changed(well: Well, **changes: object) -> list[Well]:
    """The plate of one well, changed."""
    return [replace(well, **changes)]


def samples() -> dict[str, dict[str, bytes]]:
    """Every layout that is read, by name: file name and bytes."""
    duplex = [*PLATE, *(replace(well, target="Cy5@ABL1", rdml_cq="7.5", analysis=None) for well in PLATE)]
    return {"lc96p": {"run.lc96p": lc96p()}, "lc96p_duplex": {"run.lc96p": lc96p(duplex)}}
