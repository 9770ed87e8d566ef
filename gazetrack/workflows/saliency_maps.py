"""Where saliency maps come from: arrays, pictures, NumPy files, and our own map files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import DataError, InputError, SchemaError, quote
from gazetrack.images.folder import decode, find_images, image_size
from gazetrack.images.reference import ImageRef
from gazetrack.maps.store import MAP_FILE, read_maps
from gazetrack.tables.stimulus import MAX_IMAGE_PX, stem

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_MOST_EXPONENT = 300  # of 2: squares of such numbers, and their sums, are within float64
_MADE = "make the map anew, or leave it out"


@dataclass(frozen=True, kw_only=True)
class MapSource:
    """One saliency map, which is read when it is needed.

    Parameters
    ----------
    name : str
        The id of its image.
    where : ndarray, ImageRef or pathlib.Path
        The map itself, the picture or NumPy file that holds it, or our map file that does.
    is_stored : bool
        Whether it is in a map file of ours: such maps may have another shape than their image.
    """

    name: str
    where: Floats | ImageRef | Path
    is_stored: bool = False

    def size(self) -> tuple[int, int]:
        """Return (width, height) in pixels, of a picture without decoding it."""
        if isinstance(self.where, ImageRef):
            return image_size(self.where)
        height, width = self.read().shape
        return width, height

    def read(self) -> Floats:
        """Return the map [H, W].

        Raises
        ------
        InputError
            The file is damaged, or the map is not of numbers throughout.
        SchemaError
            It has no two dimensions.
        """
        values, path = self._values()
        if values.ndim != 2 or not values.size:
            what = f"the map of {quote(self.name)!r} has the shape {values.shape}"
            raise SchemaError(what, path=path, hint="give one of height x width")
        if np.iscomplexobj(values):
            what = f"the map of {quote(self.name)!r} holds complex numbers"
            raise SchemaError(what, path=path, hint=_MADE)
        try:
            found = values.astype(np.float64)
        except (TypeError, ValueError) as error:
            what = f"the map of {quote(self.name)!r} holds no numbers"
            raise SchemaError(what, path=path, hint=_MADE) from error
        n_bad = found.size - int(np.isfinite(found).sum())
        if n_bad:
            what = f"the map of {quote(self.name)!r} has {n_bad:,} pixels that are no numbers"
            raise InputError(what, path=path, hint=_MADE)
        return _within_reach(found)

    def _values(self) -> tuple[npt.NDArray[Any], Path | None]:
        if isinstance(self.where, ImageRef):
            return _gray(self.where), self.where.file
        if isinstance(self.where, np.ndarray):
            return self.where, None
        if self.is_stored:
            # The last level is that of the whole track.
            return read_maps(self.where).load(self.name)[-1], self.where
        return _numpy_file(self.where), self.where


def map_sources(maps: str | Path | Mapping[str, npt.ArrayLike]) -> dict[str, MapSource]:
    """Return saliency maps by the id of their image.

    Parameters
    ----------
    maps : path-like or mapping of str to array
        A folder of pictures (gray, or colours whose gray is taken) and ``*.npy`` called after the
        stimuli; a map file of ours, or its folder; or maps [H, W] by stimulus.

    Raises
    ------
    InputError
        There is no such file or folder, or no map in it.
    DataError
        Two maps are of the same image.
    """
    if not isinstance(maps, str | Path):
        given = {stem(name): np.asarray(values) for name, values in maps.items()}
        if len(given) < len(maps):
            raise DataError("two maps of one image", hint="images go by name without suffix")
        return {name: MapSource(name=name, where=values) for name, values in given.items()}
    path = Path(maps)
    if path.suffix == ".parquet" or (path / MAP_FILE).exists():
        store = read_maps(path)
        where = store.path
        return {name: MapSource(name=name, where=where, is_stored=True) for name in store.ids}
    files: dict[str, ImageRef | Path] = dict(find_images(path)) if path.suffix != ".npy" else {}
    for file in sorted(path.glob("*.npy")) if path.is_dir() else [path]:
        if file.suffix != ".npy":
            continue
        if file.stem in files:
            what = f"two maps of {quote(file.stem)!r}"
            raise DataError(what, path=path, hint="leave a picture or a .npy file of it")
        files[file.stem] = file
    if not files:
        hint = "give pictures or .npy files called after the images, or a map file"
        raise InputError("holds no map", path=path, hint=hint)
    return {name: MapSource(name=name, where=file) for name, file in files.items()}


def _within_reach(saliency: Floats) -> Floats:
    """Return a map whose squares are numbers, too: huge and tiny ones times a power of 2.

    No score depends on the scale of a map.
    """
    exponent = int(np.frexp(np.abs(saliency).max())[1])
    return saliency if abs(exponent) <= _MOST_EXPONENT else np.ldexp(saliency, -exponent)


def _gray(image: ImageRef) -> npt.NDArray[Any]:
    picture = decode(image)
    # Pictures of one channel keep their depth; of colours, and of what is see-through, the gray.
    deep = picture.mode.startswith(("I", "F"))
    return np.asarray(picture if deep else picture.convert("L"))


def _numpy_file(path: Path) -> npt.NDArray[Any]:
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        if mapped.size > MAX_IMAGE_PX:
            what = f"has {mapped.size:,} pixels"
            hint = f"at most {MAX_IMAGE_PX:,} are read; shrink it"
            raise InputError(what, path=path, hint=hint)
        return np.array(mapped)
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        what = "cannot be read as an array of NumPy"
        raise InputError(what, path=path, hint="write it with numpy.save") from error
