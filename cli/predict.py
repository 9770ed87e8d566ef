"""gradtrack-predict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from gazetrack.sam.parameters import PREDICTION_SHARE, PromptParams

from . import completing, exit_codes
from . import options as opt
from .errors import say
from .examples import examples
from .printing import print_json
from .progress import progress_bar
from .reports import check_report, write_results

if TYPE_CHECKING:
    from gradtrack_model.data.series_masks import SegOptions
    from gradtrack_model.evaluation.predict import Prediction
    from gradtrack_model.evaluation.temperature import Temperature
    from gradtrack_model.weights.ensemble import Ensemble


@click.command(
    "predict",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        """
        gradtrack-predict new-images --weights runs/gradtrack --overlay
        # the network that comes with the package, over four flips
        gradtrack-predict polyps --weights kvasir-lite --tta -o predictions
        gradtrack-predict polyps --weights kvasir-lite --refine-with mobilesam
        # for an archive: an object that refers to the series
        gradtrack-predict series --weights kvasir-lite --dicom-seg binary
        # the mean of all networks of a cross-validation
        gradtrack-predict new-images --weights runs/folds
        # probabilities that are what they say, after gradtrack-calibrate
        gradtrack-predict new-images --probabilities --calibrated
        """
    ),
)
@click.argument("folder", type=opt.FILE, metavar="FOLDER|IMAGE")
@click.argument("more", type=opt.FILE, nargs=-1, metavar="")
@click.option(
    "--weights",
    type=opt.FILE,
    multiple=True,
    show_default="runs/gradtrack",
    metavar="RUN|FILE|NAME",
    shell_complete=completing.networks,
    help=(
        "Run folder (its best checkpoint), .safetensors file, or a released network such as "
        "kvasir-lite. Of several (repeated, RUNS/*, or the folder of --folds), probabilities are "
        "averaged."
    ),
)
@click.option(
    "-o",
    "--out",
    type=opt.FILE,
    default=Path("predictions"),
    show_default=True,
    metavar="DIR",
    help="Folder for the masks.",
)
@click.option(
    "--ids", type=opt.FILE, metavar="FILE", help="Image ids, one a line: segment only these."
)
@click.option(
    "--overlay", is_flag=True, help="Also write images with the mask drawn in: DIR/overlays."
)
@click.option(
    "--probabilities",
    is_flag=True,
    help="Also write probabilities as gray images: DIR/probabilities.",
)
@click.option(
    "--uncertainty",
    is_flag=True,
    help=(
        "Also write how far flips (--tta) and networks (several --weights) disagree: "
        "DIR/uncertainty.csv by image, DIR/uncertainty by pixel."
    ),
)
@click.option(
    "--tracks",
    is_flag=True,
    help="Also write the predicted track maps: DIR/tracks/1 (the core) to K.",
)
@click.option(
    "--dicom-seg",
    type=click.Choice(["binary", "fractional"]),
    help=(
        "Also write a DICOM segmentation of the series in FOLDER, of masks or of probabilities: "
        "DIR/dicom-seg."
    ),
)
@click.option(
    "--segment-label",
    multiple=True,
    metavar="TEXT",
    show_default="the class, else lesion",
    help="Of --dicom-seg: what the segment is called, once for each class.",
)
@click.option(
    "--segment-code",
    multiple=True,
    metavar="[CATEGORY;]TYPE",
    show_default="the label's",
    help="Of --dicom-seg: what the segment is, such as '10200004,SCT,Liver'.",
)
@click.option("--tta", is_flag=True, help="Average over the four flips of each image.")
@opt.image_size
@opt.threshold
@click.option(
    "--calibrated",
    is_flag=True,
    help="Write probabilities that are what they say; gradtrack-calibrate first. Masks stay.",
)
@click.option(
    "--temperature",
    type=opt.FILE,
    metavar="FILE",
    show_default="beside the weights",
    help="Where gradtrack-calibrate wrote it; means --calibrated.",
)
@click.option(
    "--refine-with",
    metavar="NAME|DIR",
    shell_complete=completing.prompt_models,
    help="Let a prompt model draw what the network has found; see `gazetrack models`.",
)
@click.option(
    "--prompt-size",
    type=click.IntRange(64, 4096),
    show_default=str(PromptParams.size),
    metavar="PX",
    help="Longest side of the image as that model sees it; 384 to 512 is good.",
)
@click.option(
    "--refine-share",
    type=click.FloatRange(0, 1, min_open=True),
    show_default=str(PREDICTION_SHARE),
    metavar="SHARE",
    help="Of that model in the logits; the rest is the network's own.",
)
@click.option(
    "--batch-size", type=click.IntRange(1), default=8, show_default=True, help="Images at once."
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where to compute.",
)
@click.option(
    "--encoder",
    metavar="NAME",
    shell_complete=completing.among(*completing.ENCODERS),
    show_default="any",
    help="Refuse weights of another encoder.",
)
@click.option(
    "--force", is_flag=True, help="Also replace masks that no network made, such as drawn ones."
)
@opt.report_option
@opt.quiet_option
@opt.json_option
@opt.debug_option
def command(
    folder: Path,
    more: tuple[Path, ...],
    weights: tuple[Path, ...],
    out: Path,
    ids: Path | None,
    overlay: bool,
    probabilities: bool,
    uncertainty: bool,
    tracks: bool,
    dicom_seg: Literal["binary", "fractional"] | None,
    segment_label: tuple[str, ...],
    segment_code: tuple[str, ...],
    tta: bool,
    image_size: int | None,
    threshold: float | None,
    calibrated: bool,
    temperature: Path | None,
    refine_with: str | None,
    prompt_size: int | None,
    refine_share: float | None,
    batch_size: int,
    device: str,
    encoder: str | None,
    force: bool,
    report: Path | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Segment the images of FOLDER, or one IMAGE.

    Each gets a mask of 0 and 255 at the image's own size. Slices of NRRD and NIfTI volumes are
    images of their own; their masks also become volumes, in DIR/volumes. The folder of a DICOM
    series can become a DICOM segmentation (--dicom-seg).
    """
    from gazetrack.workflows.workers import counted
    from gradtrack_model.data.image_files import find_images, read_ids
    from gradtrack_model.evaluation.predict import PredictOptions, predict_folder
    from gradtrack_model.training.loop import pick_device
    from gradtrack_model.weights.ensemble import load_ensemble

    if refine_with is None and (prompt_size is not None or refine_share is not None):
        what = "--prompt-size and --refine-share are about a prompt model: name it by --refine-with"
        raise click.UsageError(what)
    images = find_images(folder)
    check_report(report, [image.file for image in images.values()])
    networks = load_ensemble(_weights(weights, more), {"model.encoder": encoder})
    chosen = PredictOptions(
        probabilities=probabilities,
        overlay=overlay,
        uncertainty=uncertainty,
        tta=tta,
        batch_size=batch_size,
        device=pick_device(device),
        ids=() if ids is None else tuple(read_ids(ids)),
        tracks=tracks,
        image_size=image_size,
        threshold=threshold,
        refine_with=refine_with,
        prompt_params=PromptParams(size=prompt_size or PromptParams.size),
        refine_share=refine_share or PREDICTION_SHARE,
        force=force,
        dicom_seg=_segments(dicom_seg, segment_label, segment_code),
        temperature=_temperature(calibrated, temperature, networks),
    )
    segmented = predict_folder(folder, networks, out, chosen)
    n_images = len(set(chosen.ids) or images)
    done = list(counted(segmented, n_images, progress_bar("segmenting", quiet)))
    notes = sorted({f"drawn by {p.drawn_by}" for p in done if p.drawn_by})
    write_results(report, [(p.image.path, p.error, p.outputs) for p in done], notes)
    _show(done, out, quiet, as_json)
    errors = [prediction.error for prediction in done if prediction.error is not None]
    return exit_codes.of_inputs(errors, len(done))


def _segments(
    kind: Literal["binary", "fractional"] | None, labels: tuple[str, ...], codes: tuple[str, ...]
) -> SegOptions | None:
    """Return how DICOM segmentations are written, if they are."""
    from gradtrack_model.data.series_masks import SegOptions

    if kind is not None:
        return SegOptions(kind=kind, labels=labels, codes=codes)
    if labels or codes:
        what = "--segment-label and --segment-code are about --dicom-seg: give it, too"
        raise click.UsageError(what)
    return None


def _weights(named: tuple[Path, ...], more: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return all weights that are named.

    A shell makes several words of ``--weights runs/folds/*``, of which the option gets the first.
    """
    if more and not named:
        message = f"unexpected {' '.join(map(str, more))}: one folder of images at a time"
        raise click.UsageError(message)
    return (*named, *more) or (Path("runs/gradtrack"),)


def _temperature(calibrated: bool, named: Path | None, networks: Ensemble) -> Temperature | None:
    """Return the temperature that is asked for: of a file, or what lies beside the weights."""
    from gradtrack_model.evaluation.temperature import beside, read_temperature

    if named is not None:
        return read_temperature(named)
    if not calibrated:
        return None
    if len(networks.members) > 1:
        raise click.UsageError("--calibrated of several networks: name the file by --temperature")
    return read_temperature(beside(networks.first))


def _show(done: list[Prediction], out: Path, quiet: bool, as_json: bool) -> None:
    for prediction in done:
        if prediction.error is not None:
            say("gradtrack-predict", prediction.error)
    if as_json:
        print_json([_as_json(prediction) for prediction in done])
    elif not quiet:
        written = sum(p.error is None for p in done)
        click.echo(f"segmented {written} of {len(done)} images; wrote {out}")
        for drawn_by in sorted({p.drawn_by for p in done if p.drawn_by}):
            click.echo(f"  drawn by {drawn_by}")


def _as_json(prediction: Prediction) -> dict[str, object]:
    return {
        "image": str(prediction.image),
        "outputs": [str(path) for path in prediction.outputs],
        "share": prediction.share,
        "drawn_by": prediction.drawn_by,
        "error": None if prediction.error is None else str(prediction.error),
    }
