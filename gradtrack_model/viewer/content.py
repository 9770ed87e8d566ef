"""What the viewer shows: the list of images, what is known of each, and its layers as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazetrack.errors import quote
from gradtrack_model.data.image_files import open_image, open_slices, read_mask
from gradtrack_model.viewer import layers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from gradtrack_model.data.looked_at import Item, LookedAt
    from gradtrack_model.viewer.in_browser import InBrowser
    from gradtrack_model.viewer.seeing import Looker

_NAME_CHARS = 160
_MOST_FIXATIONS = 5000  # of a track: as many marks as a browser draws at once


class Content:
    """All that the page may ask for, by the number of an image.

    Parameters
    ----------
    found : LookedAt
        The images with the gaze on them.
    looker : Looker or None
        The networks; None to show gaze alone.
    notes : sequence of str
        What the user should know, in one line each.
    in_browser : InBrowser or None
        The network that the page computes itself; None for none.
    """

    def __init__(
        self,
        found: LookedAt,
        looker: Looker | None = None,
        notes: Sequence[str] = (),
        in_browser: InBrowser | None = None,
    ) -> None:
        self._found = found
        self._looker = looker
        self.in_browser = in_browser
        self._notes = [*found.notes, *notes]

    def __len__(self) -> int:
        return len(self._found.items)

    def listing(self) -> dict[str, Any]:
        """Return the images by their names, and what there is of each, as JSON values."""
        return {
            "images": [
                {
                    "name": quote(item.image_id, _NAME_CHARS),
                    "gaze": bool(item.tracks) or self._found.has_levels(item),
                    "reference": item.mask is not None,
                }
                for item in self._found.items
            ],
            "network": self._network(),
            "in_browser": None if self.in_browser is None else self.in_browser.size,
            "notes": [quote(note, 300) for note in self._notes],
        }

    def _network(self) -> str:
        if self._looker is None:
            return ""
        members = self._looker.ensemble.members
        several = f", and {len(members) - 1} others" if len(members) > 1 else ""
        first = members[0].path
        name = first.parent.name if first.stem in ("best", "last", "model") else first.stem
        return quote(f"{name}{several}", _NAME_CHARS)

    def facts(self, number: int) -> dict[str, Any]:
        """Return what is known of an image and of the gaze on it, as JSON values."""
        item = self._found.items[number]
        levels = self._found.levels(item)
        return {
            "name": quote(item.image_id, _NAME_CHARS),
            "width": item.width,
            "height": item.height,
            "levels": [] if levels is None else list(levels.titles),
            "source": "" if levels is None else levels.source,
            "tracks": [_track(track) for track in item.tracks],
            "reference": item.mask is not None,
            "network": self._looker is not None,
        }

    def seen(self, number: int) -> dict[str, Any]:
        """Return what the networks say of an image, as JSON values; KeyError without networks."""
        looker = self._need_looker()
        seen = looker.look(number, *self._slices(number))
        return {
            "share": float(seen.mask.mean()),
            "uncertainty": seen.uncertainty,
            "threshold": looker.threshold,
        }

    def picture(self, number: int, name: str) -> bytes:
        """Return a picture of an image as PNG.

        Parameters
        ----------
        number : int
            Which image of the list it is, from 0.
        name : str
            ``image``, ``mask``, ``probability``, ``uncertainty``, ``reference``, or ``level-1`` to
            the last level.

        Raises
        ------
        KeyError
            There is no such picture of it.
        GazetrackError
            The image, its mask or its maps cannot be read.
        """
        item = self._found.items[number]
        size = layers.shown_size(item.width, item.height)
        if name == "image":
            return layers.plain(self._image(number))
        if name == "reference":
            if item.mask is None:
                raise KeyError(name)
            return layers.outlined(read_mask(item.mask), size, layers.REFERENCE)
        if name.startswith("level-"):
            return self._level(item, name, size)
        seen = self._need_looker().look(number, *self._slices(number))
        if name == "mask":
            return layers.outlined(seen.mask, size, layers.MASK)
        tints = {
            "probability": (seen.probability, layers.PROBABILITY),
            "uncertainty": (seen.deviation, layers.UNCERTAINTY),
        }
        strength, colour = tints[name]
        return layers.tinted(strength, size, colour)

    def _need_looker(self) -> Looker:
        if self._looker is None:
            raise KeyError("network")
        return self._looker

    def _image(self, number: int) -> Image.Image:
        window = () if self._looker is None else self._looker.window
        return open_image(self._found.items[number].image, window)

    def _slices(self, number: int) -> tuple[Image.Image, ...]:
        """Return an image amid the slices that the networks see around it."""
        looker = self._need_looker()
        return open_slices(self._found.items[number].image, looker.window, looker.context)

    def _level(self, item: Item, name: str, size: tuple[int, int]) -> bytes:
        levels = self._found.levels(item)
        number = name.removeprefix("level-")
        if levels is None or number not in map(str, range(1, len(levels.values) + 1)):
            raise KeyError(name)
        return layers.tinted(levels.values[int(number) - 1], size, layers.GAZE)


def _track(track: Any) -> dict[str, Any]:
    """Return who looked, and where: x and y in pixels of the image, and the duration in ms."""
    who = track.participant or track.recording
    trial = f", trial {track.trial}" if track.trial else ""
    rows = zip(track.x, track.y, track.duration_ms, strict=True)
    return {
        "who": quote(f"{who}{trial}", _NAME_CHARS),
        "n": len(track),
        "fixations": [
            [round(float(x), 1), round(float(y), 1), round(float(ms))]
            for x, y, ms in list(rows)[:_MOST_FIXATIONS]
        ],
    }
