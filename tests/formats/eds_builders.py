"""Small .eds documents of all layouts, built in memory from one description of a plate."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from format_builders import zipped

SDS = "apldbio/sds/"
CYCLES = 12


@dataclass(frozen=True)
class Well:
    """A target in a well; the well is an index from 0."""

    index: int
    target: str = "ABL1"
    dye: str = "FAM"
    task: str = "UNKNOWN"
    quantity: float = 1.0
    sample: str = "P1"
    ct: str = "7.5"


STANDARD = Well(0, task="STANDARD", quantity=1000.0, sample="S1")
PLATE = (STANDARD, Well(1), Well(1, "BCR::ABL1", "VIC", ct="12.0"), Well(13, task="NTC", sample="", ct="Undetermined"))


def signal(well: int, dye: str, cycle: int) -> float:
    """Signal of a dye; every value is exact in single precision and told from every other one."""
    if dye == "ROX":
        return 4096.0
    rise = 2.0 ** max(cycle - 4, 0) if dye == "FAM" else 3.0 * max(cycle - 6, 0)
    return 8192.0 + 64 * well + {"FAM": 0, "VIC": 16}.get(dye, 32) + 4 * rise


def rn(well: Well, cycle: int) -> float:
    """Rn as the software reports it."""
    return signal(well.index, well.dye, cycle) / 4096.0


@dataclass(frozen=True)
class Document:
    """What a document says; `members` are added, or left out where None stands."""

    plate: Sequence[Well] = PLATE
    rows: int = 8
    columns: int = 12
    passive: str = "ROX"
    cycles: int = CYCLES
    before: int = 0
    melting: int = 3
    omitted: Iterable[int] = (13,)
    members: Mapping[str, str | bytes | None] = field(default_factory=dict)

    @property
    def dyes(self) -> list[str]:
        """The dyes that are measured in all wells."""
        return [*dict.fromkeys(well.dye for well in self.plate), "ROX"]

    @property
    def indices(self) -> list[int]:
        """The wells in use."""
        return sorted({well.index for well in self.plate})

    def packed(self, members: Mapping[str, str | bytes | None]) -> bytes:
        """The zip archive."""
        return zipped({name: content for name, content in {**members, **self.members}.items() if content is not None})

    def readings(self, well: int, dye: str) -> list[float]:
        """All readings of a dye: before, in and after the cycles."""
        return [
            *[1.0] * self.before,
            *(signal(well, dye, cycle) for cycle in range(1, self.cycles + 1)),
            *[2.0] * self.melting,
        ]


# --- members of the two older layouts -----------------------------------------------------------------------------


def plate_setup(document: Document) -> str:
    """`plate_setup.xml`."""
    samples = "".join(
        f"<FeatureValue><Index>{well.index}</Index><FeatureItem><Sample><Name>{escape(well.sample)}</Name></Sample>"
        "</FeatureItem></FeatureValue>"
        for well in {well.index: well for well in document.plate}.values()
    )
    tasks = "".join(
        f"<FeatureValue><Index>{index}</Index><FeatureItem><DetectorTaskList>"
        + "".join(
            f"<DetectorTask><Task>{well.task}</Task><Concentration>{well.quantity}</Concentration><Detector>"
            f"<Name>{escape(well.target)}</Name><Reporter>{well.dye}</Reporter></Detector></DetectorTask>"
            for well in document.plate
            if well.index == index
        )
        + "</DetectorTaskList></FeatureItem></FeatureValue>"
        for index in document.indices
    )
    omitted = "".join(f"<Well><Index>{index}</Index><IsOmit>true</IsOmit></Well>" for index in document.omitted)
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Plate>'
        f"<Rows>{document.rows}</Rows><Columns>{document.columns}</Columns><PlateKind><Name>Plate</Name></PlateKind>"
        f"<FeatureMap><Feature><Id>sample</Id></Feature>{samples}</FeatureMap>"
        f"<FeatureMap><Feature><Id>detector-task</Id></Feature>{tasks}</FeatureMap>"
        f"<Wells>{omitted}</Wells><PassiveReferenceDye>{document.passive}</PassiveReferenceDye></Plate>"
    )


EXPERIMENT = (
    "<Experiment><Name>x</Name><Operator>Somebody</Operator><RunStartTime>1614859200000</RunStartTime>"
    "<InstrumentTypeId>sds7500fast</InstrumentTypeId>"
    '<ExperimentProperty type="RunInfo"><PropertyValue key="instrumentSerialNumber"><String>27250001</String>'
    "</PropertyValue></ExperimentProperty></Experiment>"
)
MANIFEST = "Manifest-Version: 1.0\r\nImplementation-Version: 7500 Software v2.3\r\nSpecification-Version: 1.1.1\r\n"


def stage(kind: str, repeats: int, *collected: int) -> str:
    """A stage of the program; `collected` are the flags of its steps."""
    steps = "".join(f"<TCStep><CollectionFlag>{flag}</CollectionFlag></TCStep>" for flag in collected)
    return f"<TCStage><StageFlag>{kind}</StageFlag><NumOfRepetitions>{repeats}</NumOfRepetitions>{steps}</TCStage>"


def program(*stages: str) -> str:
    """`tcprotocol.xml`."""
    return f"<TCProtocol>{''.join(stages)}</TCProtocol>"


def usual_program(document: Document) -> str:
    """A hold, the cycles, a melting curve."""
    hold = stage("PRE_CYCLING", 1, 1 if document.before else 0)
    return program(hold, stage("CYCLING", document.cycles, 0, 1), stage("DISSOCIATION", 1, 2))


def setting(kind: str, **values: object) -> str:
    """A group of settings of `analysis_protocol.xml`."""
    items = "".join(
        f"<JaxbSettingValue><Name>{name}</Name><JaxbValueItem><Value>{value}</Value></JaxbValueItem></JaxbSettingValue>"
        for name, value in values.items()
    )
    return f"<JaxbAnalysisSettings><Type>com.apldbio.sds.platform.analysis.{kind}</Type>{items}</JaxbAnalysisSettings>"


def protocol(*settings: str) -> str:
    """`analysis_protocol.xml`."""
    return f"<JaxbAnalysisProtocol>{''.join(settings)}</JaxbAnalysisProtocol>"


USUAL_PROTOCOL = protocol(
    setting("IDetectorSettings", ObjectName="AnalysisProtocol.DEFAULT_SETTINGS", Threshold=0.2, AutoCt="true"),
    setting(
        "IDetectorSettings",
        ObjectName="ABL1",
        Threshold=0.05,
        AutoCt="false",
        AutoBaseline="false",
        BaselineStart=3,
        BaselineStop=6,
    ),
    setting("IDetectorSettings", ObjectName="BCR::ABL1", Threshold=0.2, AutoCt="true", AutoBaseline="true"),
)
RESULT_HEADER = (
    *("Well", "Sample Name", "Detector", "Task", "Ct", "Avg Ct", "Ct SD", "Delta Ct", "Qty", "Avg Qty", "Qty SD"),
    "Amp Status",
)


def analysis_result(document: Document, curves: Sequence[str] = ("Rn values", "Delta Rn values")) -> str:
    """`analysis_result.txt`."""
    lines = ["Session Name\t", "\t".join(RESULT_HEADER)]
    cycles = range(1, document.cycles + 1)
    for well in document.plate:
        lines.append(f"{well.index}\t{well.sample}\t{well.target}\tTarget\t{well.ct}\t\t\t\t55.5\t\t\t1")
        values = {name: [rn(well, c) - (2.0 if name[0] == "D" else 0) for c in cycles] for name in curves}
        lines += [f"{name}\t" + "\t".join(map(repr, values[name])) for name in curves]
        lines.append(f"DDCT Values\t{well.index}\t\t{well.sample}\t{well.target}")
    return "\n".join(lines) + "\n"


def multicomponent_text(document: Document, end: str = "\r\n") -> str:
    """`multicomponent_data.txt`, its records glued at the end of each cycle."""
    text = end.join(
        ["StepOne v2.0 MulticomponentData", "", "WELL\tCYCLE\tDYE LIST\tMSE\tSIGNAL DATA\tPURE_DYE_DATA", ""]
    )
    for index in document.indices:
        readings = {dye: document.readings(index, dye) for dye in document.dyes}
        for reading in range(len(readings["ROX"])):
            for dye, values in readings.items():
                text += f"{index}\t{reading}\t{dye}\t6657.1\t{values[reading]!r}\t1.0{end}\t\t\t\t\t0.067{end}"
            text += f"{index}\t{reading}\t6657.1\t"
    return text + "95\t0\t0.0\t95\t1\t0.0\t"


def points(document: Document) -> list[tuple[int, int, int, int]]:
    """Stage, cycle, step and point of all readings."""
    cycles = [(2, cycle, 2, 1) for cycle in range(1, document.cycles + 1)]
    melting = [(3, 1, 1, point) for point in range(1, document.melting + 1)]
    return [(1, 1, 1, 1)] * document.before + cycles + melting


def multicomponent_xml(document: Document, comma: str = ", ") -> str:
    """`multicomponentdata.xml`."""
    listed = comma.join(f"[Stg:{at} Cyc:{cycle} Stp:{step} Pt:{point}]" for at, cycle, step, point in points(document))
    dyes = "".join(
        f'<DyeData WellIndex="{index}"><DyeList>[{comma.join(document.dyes)}]</DyeList></DyeData>'
        for index in document.indices
    )
    signals = "".join(
        f'<SignalData WellIndex="{index}">'
        + "".join(
            f"<CycleData>[{comma.join(map(repr, document.readings(index, dye)))}]</CycleData>" for dye in document.dyes
        )
        + "</SignalData>"
        for index in document.indices
    )
    return f"<MultiComponentData><CollectionPoints>[{listed}]</CollectionPoints>{dyes}{signals}</MultiComponentData>"


def _older(document: Document) -> dict[str, str | bytes | None]:
    return {
        f"{SDS}Manifest.mf": MANIFEST,
        f"{SDS}experiment.xml": EXPERIMENT,
        f"{SDS}plate_setup.xml": plate_setup(document),
        f"{SDS}tcprotocol.xml": usual_program(document),
        f"{SDS}analysis_protocol.xml": USUAL_PROTOCOL,
        f"{SDS}analysis_result.txt": analysis_result(document),
    }


def text_eds(document: Document = Document()) -> bytes:
    """A document in the layout of 7500 and StepOne."""
    return document.packed({**_older(document), f"{SDS}multicomponent_data.txt": multicomponent_text(document)})


def xml_eds(document: Document = Document()) -> bytes:
    """A document in the layout of QuantStudio and ViiA 7."""
    return document.packed({**_older(document), f"{SDS}multicomponentdata.xml": multicomponent_xml(document)})


def results_eds(document: Document = Document()) -> bytes:
    """A document of which only the results are left."""
    return document.packed({f"{SDS}analysis_result.txt": analysis_result(document)})


# --- the JSON layout ----------------------------------------------------------------------------------------------


def json_members(document: Document) -> dict[str, dict[str, object]]:
    """What the members of the JSON layout hold."""
    wells = [
        {
            "index": index,
            "sampleName": next(well.sample for well in document.plate if well.index == index),
            "omitted": index in tuple(document.omitted),
            "targetAssignments": [
                {"targetName": well.target, "task": well.task, "quantity": well.quantity}
                for well in document.plate
                if well.index == index
            ],
        }
        for index in document.indices
    ]
    targets = {well.target: {"name": well.target, "reporter": well.dye} for well in document.plate}
    keys = ("stage", "cycle", "step", "point")
    return {
        "summary.json": {"name": "x", "instrumentType": "QS7PRO"},
        "run/run_summary.json": {"instrumentSerialNumber": "2777", "startTime": 1614859200000, "operator": "Somebody"},
        "setup/plate_setup.json": {
            "blockType": f"BLOCK_{document.rows * document.columns}W_02ML",
            "passiveReference": document.passive,
            "targets": list(targets.values()),
            "wells": wells,
        },
        "primary/multicomponent_data.json": {
            "collectionPoints": [dict(zip(keys, point, strict=True)) for point in points(document)],
            "wellData": [
                {
                    "wellIndex": index,
                    "dyeData": [
                        {"dyeName": dye, "fluorescences": document.readings(index, dye)} for dye in document.dyes
                    ],
                }
                for index in document.indices
            ],
        },
        "primary/analysis_result.json": {
            "wellResults": [
                {"wellIndex": well.index, "sampleName": well.sample, "reactionResults": [_json_result(well, document)]}
                for well in document.plate
            ]
        },
    }


def _json_result(well: Well, document: Document) -> dict[str, object]:
    cycles = range(1, document.cycles + 1)
    return {
        "targetName": well.target,
        "task": well.task,
        "omitted": False,
        "amplificationResult": {
            "cq": float("nan") if well.ct == "Undetermined" else float(well.ct),
            "ctThreshold": 0.05,
            "ctBaselineStart": 3,
            "ctBaselineEnd": 6,
            "ampStatus": "AMP",
            "rn": [rn(well, cycle) for cycle in cycles],
            "deltaRn": [rn(well, cycle) - 2.0 for cycle in cycles],
        },
    }


def json_eds(document: Document = Document(), **changed: Mapping[str, object]) -> bytes:
    """A document in the layout of Design & Analysis 2; `changed` are members by their last name without ending."""
    members: dict[str, str | bytes | None] = {}
    for name, content in json_members(document).items():
        short = name.rpartition("/")[2].removesuffix(".json")
        members[name] = json.dumps(changed.get(short, content))
    return document.packed(members)


def samples() -> dict[str, dict[str, bytes]]:
    """One small file for every layout."""
    return {
        "text": {"run.eds": text_eds()},
        "xml": {"run.eds": xml_eds()},
        "json": {"run.eds": json_eds()},
        "results": {"run.eds": results_eds()},
    }
