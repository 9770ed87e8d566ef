"""The stages in their order, over many files: the only module that knows them all.

Every function takes one input after the other, never lets a bad one touch its neighbours, and returns one `Outcome` an
input: what the command line prints and what ``--report`` writes.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gazetrack import __version__
from gazetrack.crf import CRFParams, refine
from gazetrack.dataset import find_images, image_size, read_image, read_tracks
from gazetrack.errors import ConfigError, GazetrackError, InputError, OutputError, ParseError, quote
from gazetrack.fixations import fixation_table, stem
from gazetrack.maps import MapParams, TrackMaps, render_maps
from gazetrack.mapstore import MAX_TOTAL_BYTES, map_writer
from gazetrack.publish import publish, sha256_of, unique_names, write_text
from gazetrack.readers import registry
from gazetrack.readers.base import Level, ReadOptions, Verdict, read_head
from gazetrack.store import SUFFIX, write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from gazetrack.events.ivt import IVT
    from gazetrack.readers.base import Head
    from gazetrack.recording import Recording, Screen
    from gazetrack.track import Track


@dataclass
class Outcome:
    """What became of one input.

    Parameters
    ----------
    file : str
        The input as the user named it.
    status : {"ok", "partial", "failed"}
        ``partial``: the output is there, some of the input is not in it.
    error : GazetrackError or None
        Why it failed, or is partial.
    sha256, format : str
        Of the input.
    rows_in, rows_out : int
        Rows read and written; ``rows_in`` is the rows used plus all `dropped`.
    dropped : dict of str to int
        Rows not used, by reason.
    outputs : list of dict
        Path, rows and sha256 of every file written.
    summary : dict
        What was found, for the user.
    """

    file: str
    status: Literal["ok", "partial", "failed"] = "ok"
    error: GazetrackError | None = None
    sha256: str = ""
    format: str = ""
    rows_in: int = 0
    rows_out: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as one object of a report file."""
        values = {name: value for name, value in vars(self).items() if name not in ("error", "summary")}
        error = self.error
        where = {name: getattr(error, name, None) for name in ("code", "line", "column", "byte")}
        message = "" if error is None else str(error)
        return {**values, **where, "message": message, "version": __version__}


@dataclass(frozen=True)
class ConvertOptions:
    """What a user may choose when converting.

    Parameters
    ----------
    format : str or None
        Name of the reader; None to detect it by content.
    columns : mapping of str to str
        For the generic reader.
    screen : Screen or None
        In place of the export's.
    detector : IVT or None
        Detect fixations even when the export has its own.
    out : pathlib.Path or None
        Folder for the outputs; beside each input by default.
    samples, events : bool
        Also write ``*.samples.parquet`` and ``*.events.parquet``.
    force : bool
        Also replace files that gazetrack did not write.
    """

    format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    screen: Screen | None = None
    detector: IVT | None = None
    out: Path | None = None
    samples: bool = False
    events: bool = False
    force: bool = False


def read_recording(
    path: str | Path,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Recording:
    """Read an export of any known format.

    Parameters
    ----------
    path : path-like
        The export; gzip is unpacked on the way.
    format : str, optional
        Name of the reader; detected by content by default.
    columns : mapping of str to str, optional
        For the generic reader: our name (x, y, t, duration, …) to the export's column.

    Returns
    -------
    Recording
        Samples, events and fixations as pyarrow tables.

    Raises
    ------
    GazetrackError
        `InputError`, `UnknownFormat`, `AmbiguousFormat`, `ParseError` or `ConfigError`, with the place and what to do.
    """
    head = read_head(path)
    name, _ = recognise(head, format, columns or {})
    return _read(head, name, ReadOptions(columns or {}))


def recognise(head: Head, format: str | None, columns: Mapping[str, str]) -> tuple[str, Verdict]:
    """Return the reader's name and why: the one named, the generic one when columns are given, or the detected one."""
    if format is not None:
        registry.get(format)
        return format, Verdict(Level.CERTAIN, "chosen with --format")
    if columns:
        return "generic", Verdict(Level.CERTAIN, "columns named with --columns")
    found = registry.detect(head)
    return found.name, found.verdict


def _read(head: Head, name: str, options: ReadOptions) -> Recording:
    """Call a reader; what it does not foresee in a file is still an error about that file, not a crash."""
    import pyarrow as pa

    try:
        return registry.get(name).read(head, options)
    except GazetrackError:
        raise
    except (ValueError, KeyError, IndexError, OverflowError, RecursionError, MemoryError, pa.ArrowException) as error:
        what = f"the {name} reader cannot make sense of it: {type(error).__name__}: {error}"
        raise ParseError(what, path=head.path, hint="check the export, or name the format with --format") from error


def info(path: str | Path, options: ConvertOptions) -> dict[str, Any]:
    """Describe an export: its format and why, tracker, rate, eyes, loss, trials, stimuli, events."""
    head = read_head(path)
    name, verdict = recognise(head, options.format, options.columns)
    recording = _read(head, name, ReadOptions(options.columns)).with_screen(options.screen)
    return {"file": str(path), **describe(recording, verdict, head)}


def describe(recording: Recording, verdict: Verdict, head: Head) -> dict[str, Any]:
    """Return the facts about a recording as JSON values."""
    events, table = recording.events, recording.samples if recording.samples is not None else recording.fixations
    kinds = {str(v["values"]): int(v["counts"]) for v in events["kind"].cast("string").value_counts().to_pylist()}
    distinct = {name: _distinct(table, name) for name in ("trial", "stimulus")} if table is not None else {}
    fixations = kinds.get("fixation", 0) if recording.fixations is None else recording.fixations.num_rows
    return {
        "format": recording.format,
        "confidence": verdict.level.name.lower(),
        "reason": verdict.reason,
        "encoding": head.encoding,
        "tracker": recording.tracker,
        "software": recording.software,
        "rate_hz": recording.rate_hz,
        "effective_rate_hz": recording.effective_rate_hz,
        "eyes": recording.eyes,
        "screen": asdict(recording.screen) if recording.screen else None,
        "samples": 0 if recording.samples is None else recording.samples.num_rows,
        "loss": recording.loss,
        "fixations": fixations,
        "events": dict(sorted(kinds.items())),
        "trials": len(distinct.get("trial", ())),
        "stimuli": len(distinct.get("stimulus", ())),
        "placed_stimuli": len(recording.placements),
        "rows_in": recording.rows_in,
        "dropped": dict(recording.dropped),
        "notes": list(recording.notes),
    }


def _distinct(table: pa.Table, name: str) -> list[str]:
    return [value for value in table[name].cast("string").unique().to_pylist() if value]


def convert_files(paths: Sequence[str | Path], options: ConvertOptions) -> Iterator[Outcome]:
    """Convert exports to fixation tables, one after the other.

    Parameters
    ----------
    paths : sequence of path-like
        Exports.
    options : ConvertOptions
        What to write and where.

    Yields
    ------
    Outcome
        One per input, as soon as it is done. A failed input does not touch the others.
    """
    targets = _targets(paths, options.out)
    for path in paths:
        outcome = Outcome(str(path))
        try:
            target = targets[Path(path)]
            if isinstance(target, GazetrackError):
                raise target
            _convert_file(Path(path), target, options, outcome)
        except GazetrackError as error:
            outcome.status, outcome.error = "failed", error
        yield outcome


def _targets(paths: Sequence[str | Path], out: Path | None) -> dict[Path, Path | GazetrackError]:
    """Choose each output's path without its ending; inputs that would share one get an error that names both."""
    found: dict[Path, Path | GazetrackError] = {}
    owners: dict[str, Path] = {}
    for path in map(Path, paths):
        name = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
        base = next(iter(unique_names([Path(name).stem]).values()))
        target = (out or path.parent) / base
        owner = owners.setdefault(str(target).lower(), path)
        if owner == path:
            found[path] = target
        else:
            what = f"would be written over the output of {quote(owner)}"
            found[path] = OutputError(what, path=path, hint="convert it into another folder with --out")
    return found


def _convert_file(path: Path, target: Path, options: ConvertOptions, outcome: Outcome) -> None:
    head = read_head(path)
    outcome.sha256 = sha256_of(path)
    outcome.format, verdict = recognise(head, options.format, options.columns)
    recording = _read(head, outcome.format, ReadOptions(options.columns)).with_screen(options.screen)
    try:
        fixations, source = fixation_table(recording, options.detector)
    except ConfigError as error:
        raise ConfigError(error.what, path=path, hint=error.hint) from error
    outcome.rows_in, outcome.rows_out = recording.rows_in, fixations.num_rows
    outcome.dropped = dict(recording.dropped)
    outcome.summary = {**describe(recording, verdict, head), **source, "fixations": fixations.num_rows}
    meta = _provenance(recording, head, outcome) | source
    tables = {SUFFIX: fixations}
    if options.samples and recording.samples is not None:
        tables[".samples.parquet"] = recording.samples
    if options.events:
        tables[".events.parquet"] = recording.events
    for ending, table in tables.items():
        output = target.with_name(target.name + ending)
        write_table(output, table, meta, force=options.force)
        outcome.outputs.append({"path": str(output), "rows": table.num_rows, "sha256": sha256_of(output)})


def _provenance(recording: Recording, head: Head, outcome: Outcome) -> dict[str, Any]:
    """Return the metadata of a table: everything about its source but names of people, places and dates."""
    return {
        "source": {"file": head.path.name, "sha256": outcome.sha256},
        "reader": recording.format,
        "tracker": recording.tracker,
        "software": recording.software,
        "rate_hz": recording.rate_hz,
        "eyes": recording.eyes,
        "screen": asdict(recording.screen) if recording.screen else None,
        "placement": {name: asdict(placement) for name, placement in sorted(recording.placements.items())},
        "origin_ms": recording.origin_ms,
        "start_ns": recording.start_ns,
        "time_origin": recording.time_origin,
        "rows_in": recording.rows_in,
        "dropped": dict(recording.dropped),
        "notes": list(recording.notes),
    }


@dataclass(frozen=True)
class RenderOptions:
    """What a user may choose when rendering.

    Parameters
    ----------
    params : MapParams
        How a track becomes maps.
    images : pathlib.Path or None
        Folder of the images: their sizes are used, and stimuli without an image are left out and named.
    placement : str or None
        Rule for gaze in screen pixels, see `gazetrack.recording.place`.
    size : (height, width) or None
        Size of the maps; the image's own by default.
    out : pathlib.Path
        Folder for ``maps.parquet`` and pictures.
    crf : CRFParams or None
        Refine the full track's map on its image; needs `images`.
    png : bool
        Also write every level as a PNG.
    force : bool
        Also replace files that gazetrack did not write.
    max_total_bytes : int
        Refuse to write more unpacked bytes than this.
    """

    params: MapParams = field(default_factory=MapParams)
    images: Path | None = None
    placement: str | None = None
    size: tuple[int, int] | None = None
    out: Path = Path("maps")
    crf: CRFParams | None = None
    png: bool = False
    force: bool = False
    max_total_bytes: int = MAX_TOTAL_BYTES


def render_tables(
    paths: Sequence[str | Path], options: RenderOptions, progress: Callable[[int, int], None] | None = None
) -> list[Outcome]:
    """Render the tracks of fixation tables into one map file.

    Parameters
    ----------
    paths : sequence of path-like
        Fixation tables.
    options : RenderOptions
        How and where.
    progress : callable, optional
        Called with (done, total) after each track.

    Returns
    -------
    list of Outcome
        One per table; the map file is listed with the first. Tables that fail are left out; nothing is written when
        none is left.
    """
    if options.crf is not None and options.images is None:
        raise ConfigError("a CRF needs the images", hint="give --images DIR")
    images = find_images(options.images) if options.images is not None else None
    sizes = {image_id: image_size(path) for image_id, path in (images or {}).items()}
    outcomes, work = [], []
    for path in paths:
        outcome = Outcome(str(path), format="fixations")
        outcomes.append(outcome)
        try:
            outcome.sha256 = sha256_of(path) if Path(path).is_file() else ""
            tracks = _tracks_with_images(path, images, sizes, options, outcome)
            work += [(track, outcome) for track in tracks]
        except GazetrackError as error:
            outcome.status, outcome.error = "failed", error
    if work:
        _write_maps(work, outcomes, images or {}, options, progress)
    return outcomes


def _tracks_with_images(
    path: str | Path,
    images: Mapping[str, Path] | None,
    sizes: dict[str, tuple[int, int]],
    options: RenderOptions,
    outcome: Outcome,
) -> list[Track]:
    tracks = read_tracks(path, sizes, options.placement)
    outcome.rows_in = sum(map(len, tracks))
    without = [] if images is None else [track for track in tracks if stem(track.stimulus) not in images]
    if without:
        names = sorted({track.stimulus for track in without})
        outcome.dropped["no image"] = sum(map(len, without))
        shown = ", ".join(quote(name, 30) for name in names[:3]) + (", …" if len(names) > 3 else "")
        what = f"no image for {len(names)} of {len({t.stimulus for t in tracks})} stimuli: {shown}"
        outcome.status = "partial"
        outcome.error = InputError(what, path=path, hint=f"add them to {quote(options.images, 40)}")
    kept = [track for track in tracks if images is None or stem(track.stimulus) in images]
    if not kept:
        raise outcome.error or InputError("holds no fixation", path=path, hint="convert the recording again")
    return kept


def _write_maps(
    work: Sequence[tuple[Track, Outcome]],
    outcomes: Sequence[Outcome],
    images: Mapping[str, Path],
    options: RenderOptions,
    progress: Callable[[int, int], None] | None,
) -> None:
    used = [outcome for outcome in outcomes if outcome.status != "failed"]
    sources = [{"file": Path(o.file).name, "sha256": o.sha256} for o in used]
    target = options.out / "maps.parquet"
    pictures = unique_names(f"{stem(t.stimulus)}.{t.recording}.{t.trial}" for t, _ in work) if options.png else {}
    crf = None if options.crf is None else asdict(options.crf)
    meta = {"params": options.params.as_dict(), "sources": sources, "placement_rule": options.placement, "crf": crf}
    with map_writer(target, meta, force=options.force, max_total_bytes=options.max_total_bytes) as write:
        for done, (track, outcome) in enumerate(work, 1):
            maps = render_maps(track, options.params, options.size)
            if options.crf is not None:
                maps = _refined(maps, images[stem(track.stimulus)], options.crf)
            write(maps)
            outcome.rows_out += len(maps.track)
            cleaned = len(track) - len(maps.track)
            if cleaned:
                outcome.dropped["short, off-image or first"] = (
                    outcome.dropped.get("short, off-image or first", 0) + cleaned
                )
            if options.png:
                name = pictures[f"{stem(track.stimulus)}.{track.recording}.{track.trial}"]
                _write_pngs(options.out / "png", name, maps.as_uint8())
            if progress is not None:
                progress(done, len(work))
    used[0].outputs.append({"path": str(target), "rows": len(work), "sha256": sha256_of(target)})


def _refined(maps: TrackMaps, path: Path, params: CRFParams) -> TrackMaps:
    """Refine the last level on its image; on resized maps, lengths in pixels shrink with the image."""
    _, height, width = maps.values.shape
    own_width, own_height = image_size(path)
    scale = math.sqrt(height * width / (own_height * own_width))
    image = read_image(path, "RGB", (height, width))
    refined = refine(maps.values[-1:], image, replace(params, position_px=params.position_px * scale))
    return replace(maps, values=np.concatenate([maps.values[:-1], refined]))


def _write_pngs(folder: Path, name: str, values: Any) -> None:
    from PIL import Image

    for level, picture in enumerate(values):
        with publish(folder / f"{name}.level{level + 1}.png") as file:
            Image.fromarray(picture).save(file, format="PNG")


def write_report(path: str | Path, outcomes: Iterable[Outcome]) -> None:
    """Publish the outcomes as JSON lines, one object per input."""
    write_text(path, "".join(json.dumps(o.as_json(), ensure_ascii=False, sort_keys=True) + "\n" for o in outcomes))


def find_tables(folder: str | Path = ".") -> list[Path]:
    """Return every fixation table of a folder.

    Raises
    ------
    ConfigError
        There is none.
    """
    tables = sorted(Path(folder).glob(f"*{SUFFIX}"))
    if not tables:
        what = f"no *{SUFFIX} in {quote(Path(folder).resolve(), 80)}"
        raise ConfigError(what, hint="name tables, or make one with: gazetrack convert EXPORT")
    return tables


def plot_tables(
    paths: Sequence[str | Path],
    images: Path,
    params: MapParams,
    out: Path,
    masks: Path | None = None,
    placement: str | None = None,
    limit: int = 10,
) -> list[Path]:
    """Draw the first tracks of fixation tables on their images, with their maps.

    Parameters
    ----------
    paths : sequence of path-like
        Fixation tables.
    images, masks : pathlib.Path
        Folders of images and, optionally, of masks to outline.
    params : MapParams
        The pyramid beside each image.
    out : pathlib.Path
        Folder for the PNG pictures.
    placement : str, optional
        Rule for gaze in screen pixels.
    limit : int
        Draw so many tracks at most.

    Returns
    -------
    list of pathlib.Path
        The pictures.

    Raises
    ------
    InputError
        None of the tracks has an image in the folder; and what reading the tables raises.
    """
    from gazetrack.plot import plot_track, save_figure

    files = find_images(images)
    outlines = find_images(masks) if masks is not None else {}
    sizes = {image_id: image_size(path) for image_id, path in files.items()}
    tracks = [t for path in paths for t in read_tracks(path, sizes, placement) if stem(t.stimulus) in files][:limit]
    if not tracks:
        raise InputError("holds no image of these fixations", path=images, hint="give --images DIR")
    names = unique_names(f"{stem(t.stimulus)}.{t.recording}.{t.trial}" for t in tracks)
    written = []
    for track in tracks:
        image_id = stem(track.stimulus)
        mask = read_image(outlines[image_id], "L") > 127 if image_id in outlines else None
        maps = render_maps(track, params).values
        figure = plot_track(read_image(files[image_id], "RGB"), track, maps, mask)
        written.append(out / f"{names[f'{image_id}.{track.recording}.{track.trial}']}.png")
        save_figure(figure, written[-1])
    return written
