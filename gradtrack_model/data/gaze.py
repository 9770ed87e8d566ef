"""Which gaze of a data set trains: its stored maps, its fixation tables, or no gaze but the masks.

The maps of a folder train where they fit its tables, as their stored digests say. They may have
gone through a CRF, be pooled, or of another kind than training would render, and whoever rendered
them meant them to be used. Maps that were made from other tables are refused, for then nobody can
tell which of the two was meant.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from gazetrack.errors import ConfigError, DataError, quote
from gazetrack.maps.store import MapStore, read_maps
from gazetrack.publish import sha256_of
from gradtrack_model.presets import METHODS
from gradtrack_model.settings import config_from

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gazetrack.maps.parameters import MapParams
    from gradtrack_model.config import DataConfig
    from gradtrack_model.data.sources import Sources

C = TypeVar("C", bound="DataConfig")

_NAME_CHARS = 60
# The one setting outside the section of the maps that says what they are.
CRF_WEIGHT = "crf_weight"


@dataclass(frozen=True, kw_only=True)
class Gaze:
    """What a run learns from, and why that.

    Parameters
    ----------
    source : {"maps", "fixations", "masks"}
        Stored maps, tracks of fixation tables that training renders, or the masks.
    what, why : str
        The source and the reason for it, in words for the user.
    fixations : tuple of pathlib.Path
        The tables that are read.
    maps : pathlib.Path or None
        The stored maps that are read.
    kind : str
        Kind of the maps, as in `gazetrack.maps.parameters.KINDS`; ``unknown`` where stored maps do
        not say so, empty for masks.
    params : MapParams or None
        How stored maps were rendered, where they say so.
    crf_weight : float
        Weight of the CRF that maps went through, before they were stored or as they are loaded; 0
        for none.
    drawn_by : str
        The prompt model that drew stored maps anew, and the masks that it learned from; empty for
        none.
    mixed : bool
        Whether predictions of networks were mixed into stored maps.
    """

    source: str
    what: str
    why: str
    fixations: tuple[Path, ...] = ()
    maps: Path | None = None
    kind: str = ""
    params: MapParams | None = None
    crf_weight: float = 0.0
    drawn_by: str = ""
    mixed: bool = False

    @property
    def line(self) -> str:
        """What trains and why, in one line for the user."""
        return f"trains on {self.what}: {self.why}"

    @property
    def recorded(self) -> str:
        """What a checkpoint says of it: no names of files, which may be people's."""
        if self.source == "masks":
            return "masks"
        origin = "stored maps" if self.source == "maps" else "fixation tables"
        after = _refined(self.crf_weight, self.drawn_by, self.mixed)
        return f"gaze of {origin}, kind {self.kind}{after}"

    @property
    def files(self) -> str:
        """Names of the files that hold the gaze, for messages."""
        paths = [*self.fixations, *([] if self.maps is None else [self.maps])]
        return ", ".join(quote(path.name) for path in paths)

    def store(self) -> MapStore | None:
        """Open the stored maps, where these train."""
        return read_maps(self.maps) if self.source == "maps" and self.maps is not None else None

    def trained(self, config: C) -> C:
        """Return the configuration with the parameters of stored maps, where these train."""
        if self.source != "maps":
            return config
        maps = config.maps if self.params is None else self.params
        return dataclasses.replace(config, maps=maps, crf_weight=self.crf_weight)


def choose_gaze(sources: Sources, config: DataConfig) -> Gaze:
    """Say which gaze trains; where maps and tables of a folder do not fit, refuse to guess.

    Parameters
    ----------
    sources : Sources
        Where the parts of the data set are.
    config : DataConfig
        Its method may ask for maps of its own, and then those are rendered from the tables.

    Returns
    -------
    Gaze

    Raises
    ------
    DataError
        Maps and tables do not fit, refined maps do not fit those they should be made from, or there
        are maps alone and they are not those that the method or settings ask for; maps that are
        given differ from a setting that is given, too.
    InputError, SchemaError
        The map file is damaged, or none.
    """
    if config.method == "full":
        maps = None if sources.fixations else sources.maps
        what, why = "masks, and no gaze", "the method is full"
        return Gaze(source="masks", what=what, why=why, fixations=sources.fixations, maps=maps)
    if sources.maps is None:
        given = sources.given == "fixations"
        return _tables(sources, config, "given as such" if given else "no maps are beside them")
    store = read_maps(sources.maps)
    misses = _misses_classes(store, config)
    if misses and (sources.given == "maps" or not sources.fixations):
        hint = "render with --target RULE, or train without classes.names"
        raise DataError(misses, path=sources.maps, hint=hint)
    if misses:
        return _tables(sources, config, misses)
    if not config.classes.names:
        store.refuse_targets()
    if sources.given == "maps":
        # What is typed is meant; what a method usually renders is not.
        if typed := _contradiction(store, sources, config, sources.map_settings):
            hint = "leave out the setting or --maps: stored maps are as they were rendered"
            raise DataError(typed, path=sources.maps, hint=hint)
        return _stored(store, "given as such")
    # A preset asks for nothing here: it is what to start from, and the maps are further on.
    of_method = METHODS[config.method]
    own = [name for name in (CRF_WEIGHT,) if name in of_method]
    asked = (*of_method.get("maps", {}), *own, *sources.map_settings)
    contradiction = _contradiction(store, sources, config, asked)
    if sources.fixations and contradiction:
        return _tables(sources, config, contradiction)
    if contradiction:
        hint = "render maps like that with gazetrack render, or give these by --maps"
        raise DataError(contradiction, path=sources.maps, hint=hint)
    if sources.rendered is not None:
        _refuse_stale_refined(store, sources.rendered)
    if not sources.fixations:
        return _stored(store, "there are no fixation tables beside them")
    _refuse_misfit(store, sources)
    return _stored(store, f"they fit {_tables_in_words(sources)}, as their digests say")


def _misses_classes(store: MapStore, config: DataConfig) -> str:
    """Return in words that stored maps do not say what was looked for, where classes are asked."""
    if not config.classes.names or store.targets:
        return ""
    shown = quote(store.path, _NAME_CHARS)
    return f"classes are asked for, and the maps of {shown} do not say what was looked for"


def _tables(sources: Sources, config: DataConfig, why: str) -> Gaze:
    kind = config.maps.kind
    after = f", refined by a CRF of weight {config.crf_weight:g}" if config.crf_weight else ""
    what = f"{_tables_in_words(sources)}, rendered as {kind} maps{after}"
    return Gaze(
        source="fixations",
        what=what,
        why=why,
        fixations=sources.fixations,
        kind=kind,
        crf_weight=config.crf_weight,
    )


def _stored(store: MapStore, why: str) -> Gaze:
    params = params_of(store)
    kind = "unknown" if params is None else params.kind
    crf_weight = _crf_weight_of(store)
    drawn_by = _drawn_by(store)
    mixed = bool(store.meta.get("probabilities_share"))
    after = _refined(crf_weight, drawn_by, mixed)
    if len(store.targets) == 1:
        after += f", all of {quote(store.targets[0], _NAME_CHARS)}"
    return Gaze(
        source="maps",
        what=f"the maps of {quote(store.path, _NAME_CHARS)} (kind {kind}{after})",
        why=why,
        maps=store.path,
        kind=kind,
        params=params,
        crf_weight=crf_weight,
        drawn_by=drawn_by,
        mixed=mixed,
    )


def _refined(crf_weight: float, drawn_by: str, mixed: bool) -> str:
    """Return in words what maps went through after they were rendered."""
    after = ", refined by a CRF" if crf_weight else ""
    after += f", drawn by {drawn_by}" if drawn_by else ""
    return after + (", mixed with predictions of networks" if mixed else "")


def _drawn_by(store: MapStore) -> str:
    """Return the prompt model that drew stored maps; empty where none did.

    Such labels are not free of masks, and every report of a run on them says so.
    """
    drawn = store.meta.get("prompted")
    if not isinstance(drawn, dict):
        return ""
    learned_from = quote(drawn.get("learned_from", "masks"), _NAME_CHARS)
    return f"{quote(drawn.get('model'), _NAME_CHARS)} (learned from {learned_from})"


def _tables_in_words(sources: Sources) -> str:
    if len(sources.fixations) == 1:
        return quote(sources.fixations[0].name, _NAME_CHARS)
    return f"{len(sources.fixations)} fixation tables"


def params_of(store: MapStore) -> MapParams | None:
    """Return how stored maps were rendered; None where that is not said in today's words."""
    recorded = store.meta.get("params")
    if not isinstance(recorded, dict) or not recorded.get("kind"):
        return None
    try:
        return config_from({"maps": recorded}).maps
    except ConfigError:
        return None


def _crf_weight_of(store: MapStore) -> float:
    """Return the weight of the CRF that stored maps went through, 0 where there was none."""
    recorded = store.meta.get("crf")
    return float(recorded.get("weight", 0.0)) if isinstance(recorded, dict) else 0.0


def _contradiction(
    store: MapStore, sources: Sources, config: DataConfig, asked: Sequence[str]
) -> str:
    """Return how stored maps differ in what is asked for, if they do."""
    params = params_of(store)
    if params is None:
        return ""
    names = list(asked)
    stored, wanted = params.as_dict(), config.maps.as_dict()
    stored[CRF_WEIGHT] = _crf_weight_of(store)
    wanted[CRF_WEIGHT] = config.crf_weight
    # Where gaze lies on an image was decided as the maps were rendered.
    if sources.placement is not None:
        names.append("placement")
        stored["placement"] = store.meta.get("placement_rule")
        wanted["placement"] = sources.placement
    for name in names:
        if stored[name] != wanted[name]:
            values = f"{quote(wanted[name])}, and the maps of {quote(store.path, _NAME_CHARS)}"
            return f"method or settings ask for {name} {values} have {quote(stored[name])}"
    return ""


def _refuse_misfit(store: MapStore, sources: Sources) -> None:
    """Refuse maps that were not made from the tables beside them, as these are now."""
    recorded = _recorded_digests(store.meta.get("sources"))
    present = {path.name: sha256_of(path) for path in sources.fixations}
    digests = {digest for _, digest in recorded}
    if digests and digests == set(present.values()):
        return
    folder = sources.fixations[0].parent
    hint = (
        f"render them again, or choose: --maps {quote(store.path.parent, _NAME_CHARS)} "
        f"or --fixations {quote(folder, _NAME_CHARS)}"
    )
    raise DataError(_misfit(recorded, present), path=store.path, hint=hint)


def _misfit(recorded: Sequence[tuple[str, str]], present: Mapping[str, str]) -> str:
    """Return in words what of the tables does not fit the maps."""
    first = quote(next(iter(present)), _NAME_CHARS)
    if not recorded:
        return f"does not say which tables it was made from: is it made from {first} beside it?"
    for name, digest in recorded:
        if name not in present:
            shown = quote(name, _NAME_CHARS)
            return f"was made from {shown}, and the table beside it is {first}"
        if present[name] != digest:
            return f"was made from another {quote(name, _NAME_CHARS)} than the one beside it"
    known = {name for name, _ in recorded}
    strangers = [name for name in present if name not in known]
    return f"was not made from {quote(strangers[0], _NAME_CHARS)}, which is beside it"


def _recorded_digests(entries: Any) -> list[tuple[str, str]]:
    """Return name and SHA-256 of the tables that `gazetrack render` records, if it did."""
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return []
    return [(str(entry.get("file", "")), str(entry.get("sha256", ""))) for entry in entries]


def _refuse_stale_refined(store: MapStore, rendered: Path) -> None:
    """Refuse refined maps that were not made from the rendered ones beside them."""
    made_from = store.meta.get("maps")
    digest = made_from.get("sha256") if isinstance(made_from, dict) else None
    if digest == sha256_of(rendered):
        return
    shown = quote(rendered, _NAME_CHARS)
    choice = f"--maps {quote(store.path.parent, _NAME_CHARS)} or --maps {quote(rendered.parent)}"
    hint = f"refine them again, or choose: {choice}"
    raise DataError(f"was made from other maps than {shown}", path=store.path, hint=hint)
