"""Where the parts of a data set are: given by the user, or found by their names in its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ConfigError, quote
from gazetrack.images.folder import find_images
from gazetrack.maps.store import MAP_FILE
from gazetrack.tables.finding import FoundTables, choose_tables, tables_among
from gazetrack.tables.store import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

# Folders that `gazetrack render` and `gazetrack refine` write to unless they are told another one.
RENDERED = Path("maps") / MAP_FILE
REFINED = Path("refined") / MAP_FILE


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where a data set's parts are.

    Parameters
    ----------
    images : pathlib.Path
        The folder that holds the images.
    masks : pathlib.Path or None
        Folder of masks, which are used for validation only.
    fixations : tuple of pathlib.Path
        The fixation tables that train, or none.
    maps : pathlib.Path or None
        Stored maps. `gradtrack_model.data.gaze.choose_gaze` says whether they or the tables train.
    rendered : pathlib.Path or None
        Where `maps` are refined ones, the maps beside them that they should be made from.
    given : {"", "fixations", "maps"}
        Which of the two the user named, so that it trains whatever else is there.
    map_settings : tuple of str
        The map parameters that the user set: maps that were rendered otherwise do not train.
    train_ids, val_ids, test_ids, manifest : pathlib.Path or None
        Files that say which image is in which split.
    placement : str or None
        Rule for gaze in screen pixels, see `gazetrack.tables.placing.place_by_rule`.
    case : str or None
        Regular expression of the case in an image id, see `gazetrack.workflows.dataset.find_items`.
    split : pathlib.Path or None
        ``splits.json`` of a run, instead of all other splits and cases.
    allow_changes : bool
        Whether a data set is taken that is not the one that `split` names.
    allow_overlap : bool
        Whether splits are taken that share cases or images.
    notes : tuple of str
        What was left out when the parts were looked for, in words for the user.
    """

    images: Path
    masks: Path | None = None
    fixations: tuple[Path, ...] = ()
    maps: Path | None = None
    rendered: Path | None = None
    given: str = ""
    map_settings: tuple[str, ...] = ()
    train_ids: Path | None = None
    val_ids: Path | None = None
    test_ids: Path | None = None
    manifest: Path | None = None
    placement: str | None = None
    case: str | None = None
    split: Path | None = None
    allow_changes: bool = False
    allow_overlap: bool = False
    notes: tuple[str, ...] = ()


def discover(
    folder: Path,
    *,
    images: Path | None = None,
    masks: Path | None = None,
    fixations: Sequence[Path] = (),
    maps: Path | None = None,
    train_ids: Path | None = None,
    val_ids: Path | None = None,
    test_ids: Path | None = None,
    split: Path | None = None,
    need_gaze: bool = True,
    **others: Any,
) -> Sources:
    """Find the parts of a data set in a folder; parts that are given are taken as given.

    Parameters
    ----------
    folder : pathlib.Path
        Looked through for ``images/``, ``masks/``, ``*.fixations.parquet``,
        ``refined/maps.parquet``, ``maps/maps.parquet``, ``train.txt`` or ``fit.txt``, ``val.txt``,
        ``test.txt`` and ``manifest.csv``.
    images, masks, train_ids, val_ids, test_ids, split : pathlib.Path, optional
        Described at `Sources`, and meant alike here.
    fixations : sequence of pathlib.Path
        Fixation tables, or folders of them. Where some are given, no maps are looked for.
    maps : pathlib.Path, optional
        Stored maps, or their folder. Where they are given, no tables are looked for.
    need_gaze : bool
        Off for full supervision, which learns from the masks.
    **others
        The rest of `Sources`, as it is.

    Returns
    -------
    Sources

    Raises
    ------
    ConfigError
        There is no such folder, there are no images or no gaze; or things are given that exclude
        each other: `split` and other splits, `fixations` and `maps`.
    """
    if split is not None and (train_ids or val_ids or test_ids):
        raise ConfigError("--split and other splits", hint="give one or the other")
    if fixations and maps is not None:
        raise ConfigError("--fixations and --maps", hint="give the one to train on")
    if not folder.is_dir():
        raise ConfigError("no such folder", path=folder, hint="check --data")
    images = images or (folder / "images" if (folder / "images").is_dir() else folder)
    tables = _tables(folder, fixations, look=maps is None)
    gaze = _maps(folder, maps, look=not fixations)
    _refuse_absent(folder, images, has_gaze=bool(tables.paths or gaze) or not need_gaze)
    return Sources(
        images=images,
        masks=masks or _if_exists(folder / "masks"),
        fixations=tables.paths,
        **gaze,
        split=split,
        **({} if split else _splits(folder, train_ids, val_ids, test_ids)),
        notes=tables.notes,
        **others,
    )


def _tables(folder: Path, given: Sequence[Path], *, look: bool) -> FoundTables:
    """Return the fixation tables that are given, else those of the folder where they are wanted."""
    if given:
        return tables_among(given)
    return choose_tables(sorted(folder.glob(f"*{SUFFIX}")) if look else [])


def _maps(folder: Path, given: Path | None, *, look: bool) -> dict[str, Any]:
    """Return what `Sources` says of stored maps: refined ones before those they are made from."""
    if given is not None:
        return {"maps": given, "given": "maps"}
    if not look:
        return {"given": "fixations"}
    rendered = _if_exists(folder / RENDERED)
    refined = _if_exists(folder / REFINED)
    if refined is not None:
        return {"maps": refined, "rendered": rendered}
    return {} if rendered is None else {"maps": rendered}


def _splits(
    folder: Path, train_ids: Path | None, val_ids: Path | None, test_ids: Path | None
) -> dict[str, Any]:
    """Return what `Sources` says of splits: files of ids, else a manifest."""
    train_ids = train_ids or _if_exists(folder / "train.txt") or _if_exists(folder / "fit.txt")
    val_ids = val_ids or _if_exists(folder / "val.txt")
    test_ids = test_ids or _if_exists(folder / "test.txt")
    named = train_ids or val_ids or test_ids
    manifest = None if named else _if_exists(folder / "manifest.csv")
    return {
        "train_ids": train_ids,
        "val_ids": val_ids,
        "test_ids": test_ids,
        "manifest": manifest,
    }


def _refuse_absent(folder: Path, images: Path, *, has_gaze: bool) -> None:
    """Refuse a folder without images or gaze: say what was looked for, and how to make it."""
    missing = []
    hint = "make tables with: gazetrack convert EXPORT; maps of them with: gazetrack render"
    if images.is_dir() and not find_images(images):
        looked = "images/ and the folder itself" if images == folder else quote(images)
        kinds = "PNG, JPEG, TIFF, BMP, DICOM, NRRD, NIfTI"
        missing.append(f"no images (looked in {looked} for {kinds})")
        hint = "see --help, or run gazetrack demo for an example"
    if not has_gaze:
        missing.append(f"no gaze (looked for *{SUFFIX}, {RENDERED} and {REFINED})")
    if missing:
        raise ConfigError(f"holds {' and '.join(missing)}", path=folder, hint=hint)


def _if_exists(path: Path) -> Path | None:
    return path if path.exists() else None
