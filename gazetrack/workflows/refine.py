"""Stored maps in, stored maps refined on their images out: by a CRF, and by a prompt model."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gazetrack.errors import ConfigError, InputError, WorkerLost, quote
from gazetrack.images.folder import find_images
from gazetrack.maps.store import MAP_FILE, map_writer, read_maps
from gazetrack.publish import refuse_input_folder, refuse_overwrite, sha256_of
from gazetrack.tables.stimulus import stem
from gazetrack.workflows.engine.run import Engine, over
from gazetrack.workflows.outcome import Outcome, settled
from gazetrack.workflows.prompting import Prompter, PromptOptions
from gazetrack.workflows.refine_checks import crf_for, probabilities_of, without_image
from gazetrack.workflows.refining import (
    PROMPTED_SHARE,
    SHARE,
    Row,
    Steps,
    refined_row,
    some_of,
)
from gazetrack.workflows.unfinished import Kept
from gazetrack.workflows.workers import counted, in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gazetrack.images.reference import ImageRef
    from gazetrack.maps.parameters import CRFParams
    from gazetrack.maps.store import MapStore, StoredMaps

    Refined = tuple[StoredMaps, bool] | None

_MOST_WAITING = 64  # refined rows, for one that is written before them


def refine(
    maps: str | Path = "maps",
    images: str | Path = "images",
    out: str | Path = "refined",
    params: CRFParams | None = None,
    *,
    prompt: PromptOptions | None = None,
    probabilities: str | Path | None = None,
    share: float | None = None,
    all_levels: bool = False,
    jobs: int = 1,
    engine: Engine | None = None,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
    errors: Literal["raise", "report"] = "raise",
) -> Outcome:
    """Refine stored maps on their images, as the command ``gazetrack refine`` does.

    Parameters
    ----------
    maps, images, out, prompt, share, all_levels, jobs, engine, force, progress
        The same as those of `refine_maps`.
    params : CRFParams, optional
        Of the CRF; its defaults without.
    probabilities : path-like, optional
        Folder of what networks saw that were not trained on the image; see `refine_maps`.
    errors : {"raise", "report"}
        ``raise``: maps without an image are an error when the others are written. ``report``: the
        error is in the outcome alone.

    Returns
    -------
    Outcome
        How many maps were refined, and where they are.

    Raises
    ------
    GazetrackError
        What `refine_maps` raises; and images are missing, and `errors` is ``raise``.

    Examples
    --------
    >>> gazetrack.refine("maps", "images").rows_out  # doctest: +SKIP
    12
    >>> prompt = gazetrack.PromptOptions(model="mobilesam")  # doctest: +SKIP
    >>> gazetrack.refine("maps", "images", prompt=prompt).rows_out  # doctest: +SKIP
    12
    """
    seen = None if probabilities is None else Path(probabilities)
    done = refine_maps(
        maps,
        images,
        out,
        params,
        prompt=prompt,
        seen=seen,
        share=share,
        all_levels=all_levels,
        jobs=jobs,
        engine=engine,
        force=force,
        progress=progress,
    )
    return settled([done], errors)[0]


def refine_maps(
    maps: str | Path,
    images: str | Path,
    out: str | Path,
    params: CRFParams | None = None,
    *,
    prompt: PromptOptions | None = None,
    seen: Path | None = None,
    share: float | None = None,
    all_levels: bool = False,
    jobs: int = 1,
    engine: Engine | None = None,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Refine the maps of a file on their images.

    After an interruption, the next call goes on where this one was.

    Parameters
    ----------
    maps : path-like
        ``maps.parquet``, or the folder it lies in.
    images : path-like
        Folder of the images. Maps without one are left out and named.
    out : path-like
        Folder for the new ``maps.parquet``.
    params : CRFParams, optional
        Reach, weights and steps of the CRF; its defaults without.
    prompt : PromptOptions, optional
        After the CRF, let this prompt model draw the last level anew. Maps that a CRF has refined
        before are then taken as they are; what a model has drawn before takes `seen` alone.
    seen : pathlib.Path, optional
        Folder of PNG probabilities by image id, as ``gradtrack-predict --probabilities`` writes
        them, of networks that were not trained on the image: the last level becomes the `mixed`
        one, of the prompt model's map where there is one.
    share : float, optional
        Of the networks in it, above 0 and below 1; .45 by default, beside a prompt model .35.
    all_levels : bool
        Refine every level by the CRF, not just the full track's; nested levels may then cross.
    jobs : int
        Threads to refine with; what is written does not depend on it.
    engine : Engine, optional
        Who refines in place of threads of this process, such as a cluster, which has to see the
        images, the folder `out`, and the prompt model's files.
    force : bool
        Also replace a file that gazetrack did not write.
    progress : callable, optional
        Called with (done, total) after each map.

    Returns
    -------
    Outcome
        ``partial`` with an error when images are missing. Its notes say which fixations the prompt
        model was not given, and how many maps gave it nothing to draw.

    Raises
    ------
    ConfigError
        The maps are of a kind that is not calibrated, unknown, or refined already; or the prompt
        model is not there.
    InputError
        There is no image for any map; and what reading maps and images raises.
    """
    if jobs < 1:
        raise ConfigError(f"{jobs} jobs", hint="use 1 or more")
    task = _task(
        maps, images, out, params, prompt=prompt, seen=seen, share=share, all_levels=all_levels
    )
    store = task.store
    digest = sha256_of(store.path)
    outcome = Outcome(str(store.path), format="maps", sha256=digest, rows_in=len(store))
    n_empty = 0
    meta = _meta(task, digest)
    with map_writer(task.target, meta, force=force) as write:
        if engine is None:
            done = in_order(partial(refined_row, steps=task.steps), _rows(task), jobs)
        else:
            done = _refined(task, engine)
        for found in counted(done, len(store), progress):
            if found is None:
                outcome.dropped["no image"] = outcome.dropped.get("no image", 0) + 1
                continue
            row, is_empty = found
            write(row)
            outcome.rows_out += 1
            n_empty += is_empty
    # From here on the file is complete, and nothing has to be computed again.
    task.steps.kept.clear()
    output = {"path": str(task.target), "rows": outcome.rows_out, "sha256": sha256_of(task.target)}
    outcome.outputs.append(output)
    _tell_of_prompts(outcome, task)
    if n_empty:
        what = f"{n_empty} maps have nothing above .5 that a model could be asked for"
        outcome.notes.append(f"{what}: they are as they were before it")
    if task.missing:
        outcome.status = "partial"
        outcome.error = without_image(store, task.missing)
    return outcome


def plan_refining(
    maps: str | Path,
    images: str | Path,
    out: str | Path,
    params: CRFParams | None = None,
    *,
    prompt: PromptOptions | None = None,
    seen: Path | None = None,
    share: float | None = None,
    all_levels: bool = False,
) -> Outcome:
    """Return what `refine_maps` would do with the same arguments; nothing is written.

    Parameters
    ----------
    maps, images, out, params, prompt, seen, share, all_levels
        The same as those of `refine_maps`.

    Returns
    -------
    Outcome
        Without outputs; ``rows_out`` is how many maps would be refined.

    Raises
    ------
    GazetrackError
        What `refine_maps` raises before any work.
    """
    task = _task(
        maps, images, out, params, prompt=prompt, seen=seen, share=share, all_levels=all_levels
    )
    store = task.store
    outcome = Outcome(str(store.path), format="maps", rows_in=len(store))
    n_missing = 0
    if task.missing:  # an image may have several maps
        n_missing = sum(row.image is None for row in _rows(task))
    outcome.rows_out = len(store) - n_missing
    _tell_of_prompts(outcome, task)
    if task.missing:
        outcome.dropped = {"no image": n_missing}
        outcome.status = "partial"
        outcome.error = without_image(store, task.missing)
    return outcome


@dataclass(frozen=True, kw_only=True)
class _Task:
    """What is refined on what, and how."""

    store: MapStore
    images: Mapping[str, ImageRef]
    pictures: Mapping[str, ImageRef]
    missing: Sequence[str]
    prompter: Prompter | None
    steps: Steps
    target: Path


def _task(
    maps: str | Path,
    images: str | Path,
    out: str | Path,
    params: CRFParams | None,
    *,
    prompt: PromptOptions | None,
    seen: Path | None,
    share: float | None,
    all_levels: bool,
) -> _Task:
    """Check all that can be checked before any work; see `refine_maps`."""
    if share is not None and not 0 < share < 1:
        raise ConfigError(f"share {share:g}", hint="use a number above 0 and below 1")
    refuse_input_folder([out], [images, seen])
    store = read_maps(maps)
    store.refuse_targets()
    files = find_images(images)
    pictures = {} if seen is None else probabilities_of(seen, store, files)
    crf_of_maps = crf_for(store, params, prompt, mixes=seen is not None)
    missing = [image_id for image_id in store.ids if image_id not in files]
    if len(missing) == len(store.ids):
        raise InputError("holds no image of these maps", path=images, hint="give --images DIR")
    target = Path(out) / MAP_FILE
    refuse_overwrite(target, [store.path, *(image.file for image in files.values())])
    kept = Kept(target)
    is_drawn = prompt is not None or bool(store.meta.get("prompted"))
    prompter = None if prompt is None else Prompter(prompt, store, files, kept)
    steps = Steps(
        crf=crf_of_maps,
        all_levels=all_levels,
        drawer=None if prompter is None else prompter.drawer,
        share=share or (PROMPTED_SHARE if is_drawn else SHARE),
        kept=kept,
    )
    return _Task(
        store=store,
        images=files,
        pictures=pictures,
        missing=missing,
        prompter=prompter,
        steps=steps,
        target=target,
    )


def _tell_of_prompts(outcome: Outcome, task: _Task) -> None:
    if task.prompter is not None:
        outcome.notes += task.prompter.notes
        outcome.summary = task.prompter.summary


def _rows(task: _Task) -> Iterator[Row]:
    """Yield the rows of a map file, each with what it is refined on."""
    prompter = task.prompter
    for maps in task.store.rows():
        image_id = stem(maps.stimulus)
        image = task.images.get(image_id)
        yield Row(
            maps=maps,
            image=image,
            picture=None if image is None else task.pictures.get(image_id),
            looks=None if prompter is None or image is None else prompter.looks_of(maps),
        )


def _refined(task: _Task, engine: Engine) -> Iterator[Refined]:
    """Yield the refined rows in order, by the workers of an engine."""
    store, steps = task.store, task.steps
    with ExitStack() as held:
        needs: list[Path] = []
        if engine.cluster is not None:
            models = () if steps.drawer is None else steps.drawer.files.paths
            shown = [task.images[image_id] for image_id in store.ids if image_id in task.images]
            needs = [held.enter_context(steps.kept.marked()), *models, *some_of(shown)]
        # Maps are large: few wait for one that is to be written before them.
        yield from over(
            partial(refined_row, steps=steps),
            _rows(task),
            engine,
            total=len(store),
            lost=_lost,
            ahead=_MOST_WAITING,
            needs=needs,
        )


def _lost(row: Row, error: WorkerLost) -> Refined:
    """Give up: the maps are one file, which would lack a row."""
    stimulus = quote(row.maps.stimulus, 60)
    hint = "call it again, on more memory: it goes on from here"
    raise WorkerLost(f"{stimulus}: {error.what}", hint=hint)


def _meta(task: _Task, digest: str) -> dict[str, Any]:
    """Return how the new maps were made."""
    store, steps, pictures = task.store, task.steps, task.pictures
    own = {"file": store.path.name, "sha256": digest}
    meta = {**store.meta, "maps": own}
    if steps.crf is not None:
        meta["crf"] = asdict(steps.crf)
        meta["crf_levels"] = "all" if steps.all_levels else "last"
    elif isinstance(store.meta.get("maps"), dict):
        # The maps that all began with stay named.
        meta |= {"maps": store.meta["maps"], "refined_from": own}
    if task.prompter is not None:
        meta["prompted"] = task.prompter.meta
    if pictures:
        meta["probabilities_share"] = steps.share
        # That the networks never saw the image, nobody but the user can know.
        digests = sorted(sha256_of(picture.file) for picture in pictures.values())
        joined = hashlib.sha256("".join(digests).encode()).hexdigest()
        meta["probabilities"] = {"images": len(digests), "sha256": joined}
    return meta
