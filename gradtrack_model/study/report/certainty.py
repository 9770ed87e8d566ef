"""How sure predictions are, in a report: the reliability diagram, and who is worth referring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from gazetrack.errors import DataError
from gradtrack_model.data.augment import normalise
from gradtrack_model.evaluation.temperature import LogitCounts, crossed, fit
from gradtrack_model.evaluation.uncertainty import disagreement, referral
from gradtrack_model.network.precision import autocast
from gradtrack_model.study.report.charts import chart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradtrack_model.data.sample import Sample
    from gradtrack_model.evaluation.metrics import Scores
    from gradtrack_model.weights.checkpoint import Checkpoint

    Facts = dict[str, Any]

AS_IT_IS = "as it is"
SCALED = "with temperature"
_PERFECT = "what it says is what is seen"
_FLIPS: tuple[tuple[int, ...], ...] = ((), (-1,), (-2,), (-2, -1))
_SHOWN_SHARES = (0.0, 0.1, 0.2, 0.5)
_NOT_EQUALLY_GOOD = (
    "Whether uncertainty finds the bad images differs from data to data: the curve is worth as "
    "much as the images that it is of."
)


def certainty_of(
    diagrams: Mapping[str, Facts], referred: Facts | None, notes: Sequence[str] = ()
) -> Facts | None:
    """Return what the template ``certainty.html`` shows.

    Parameters
    ----------
    diagrams : mapping of str to dict
        Reliability diagrams by the name of their line, each with ``ece`` and ``bins`` as
        `gradtrack_model.evaluation.uncertainty.reliability` returns them.
    referred : dict or None
        What `referral` there returns; None without uncertainties.
    notes : sequence of str
        How these were measured, in sentences.

    Returns
    -------
    dict or None
        ``facts``, ``charts``, ``notes`` and ``tables``; None where there is nothing to show.
    """
    if not diagrams and referred is None:
        return None
    page: Facts = {"facts": [], "charts": [], "notes": list(notes), "tables": []}
    if diagrams:
        _add_reliability(page, diagrams)
    if referred is not None:
        _add_referral(page, referred)
    return page


def certainty_of_run(
    checkpoint: Checkpoint,
    samples: Sequence[Sample],
    scores: Mapping[str, Scores],
    device: torch.device,
) -> Facts | None:
    """Measure how sure a network is of its validation images, as `certainty_of` returns it.

    Parameters
    ----------
    checkpoint : Checkpoint
        The network, whose model is on the device.
    samples : sequence of Sample
        The validation images, at the size of prediction.
    scores : mapping of str to Scores
        The measures of each image that has a mask.
    device : torch.device
        Where the network is computed.
    """
    config = checkpoint.config.predicting()
    measured = [sample for sample in samples if sample.image_id in scores]
    halves = (LogitCounts(), LogitCounts())
    uncertain = {}
    for place, sample in enumerate(measured):
        pixels = normalise(sample.pixels[None].to(device).float() / 255)
        turned = torch.cat([pixels.flip(axes) for axes in _FLIPS])
        with torch.no_grad(), autocast(config.precision, device):
            logits = checkpoint.model(turned).logits.float()
        if logits.shape[1] > 1:  # a probability of each class is not what is scaled here
            return None
        passes = torch.stack([one.flip(axes) for one, axes in zip(logits, _FLIPS, strict=True)])
        uncertain[sample.image_id] = disagreement(passes[:, 0], config.predict_threshold)
        if sample.mask is not None:
            full = functional.interpolate(passes[:1], size=sample.mask.shape, mode="bilinear")
            # The halves are of neighbours, as slices of a volume stand beside each other.
            halves[2 * place >= len(measured)].add(full[0, 0].cpu().numpy(), sample.mask)
    if not measured:
        return None
    diagrams, said = _before_and_after(halves)
    notes = [
        (
            "Of the validation images. Calibration is of what the network sees at once; "
            "uncertainty is how far its masks of the image's four flips disagree."
        ),
        *said,
    ]
    dice = {name: score.dice for name, score in scores.items()}
    return certainty_of(diagrams, referral(dice, uncertain), notes)


def _before_and_after(
    halves: tuple[LogitCounts, LogitCounts],
) -> tuple[dict[str, Facts], list[str]]:
    """Return the reliability diagrams without and with a temperature, and what is to be said."""
    every = halves[0] + halves[1]
    diagrams = {AS_IT_IS: every.reliability()}
    try:
        temperatures = [fit(half) for half in reversed(halves)]
        of_all = fit(every)
    except DataError:  # too few images, or nothing in half of them
        return diagrams, []
    diagrams[SCALED] = crossed(halves, temperatures)
    said = (
        f"The temperature of all these images is {of_all:.2f}; what it gains is measured on each "
        "half of them with what was fitted on the other half. To use it: gradtrack-calibrate, then "
        "gradtrack-predict --calibrated."
    )
    return diagrams, [said]


def _add_reliability(page: Facts, diagrams: Mapping[str, Facts]) -> None:
    errors = {name: found["ece"] for name, found in diagrams.items()}
    shown = ", ".join(f"{value:.4f} {name}" for name, value in errors.items())
    page["facts"].append(("expected calibration error", shown))
    series = {_PERFECT: [(0.0, 0.0), (1.0, 1.0)]}
    for name, found in diagrams.items():
        series[name] = [(one["said"], one["seen"]) for one in found["bins"]]
    # The legend begins with what was measured.
    ordered = {name: series[name] for name in (*diagrams, _PERFECT)}
    drawn = chart("share of foreground", ordered, x_title="probability", dotted=tuple(diagrams))
    words = f"Reliability diagram. Expected calibration error: {shown}. Its figures follow below."
    page["charts"].append((drawn, words))
    page["notes"].append(
        "Reliability: the pixels in ten bins by their probability (Guo et al. 2017). Most pixels "
        "are background of which a network is sure: the error is mostly theirs."
    )
    for name, found in diagrams.items():
        rows = [
            (f"{one['said']:.3f}", f"{one['seen']:.3f}", f"{one['pixels']:,}")
            for one in found["bins"]
        ]
        heading = f"Reliability, {name}"
        page["tables"].append((heading, ("probability", "share of foreground", "pixels"), rows))


def _add_referral(page: Facts, referred: Facts) -> None:
    curve = referred["curve"]
    shown = ", ".join(
        f"{line['referred']:.0%}: {line['dice']:.3f}"
        for line in curve
        if line["referred"] in _SHOWN_SHARES
    )
    page["facts"].append(("Dice of the rest when the most uncertain are referred", shown))
    start = curve[0]["dice"]
    series = {
        "by uncertainty": [(100 * line["referred"], line["dice"]) for line in curve],
        "were the worst known": [(100 * line["referred"], line["dice_at_best"]) for line in curve],
        "by chance": [(100 * line["referred"], start) for line in curve],
    }
    title = "Dice of the rest"
    drawn = chart(title, series, x_title="% referred to a person", dotted=("by uncertainty",))
    words = (
        f"Referral curve. Dice of the rest by share referred: {shown}. Its figures follow below."
    )
    page["charts"].append((drawn, words))
    page["notes"].append(_NOT_EQUALLY_GOOD)
    rows = [
        (
            f"{line['referred']:.0%}",
            str(line["n"]),
            f"{line['dice']:.4f}",
            f"{line['dice_at_best']:.4f}",
        )
        for line in curve
    ]
    header = ("referred", "images left", "Dice", "were the worst known")
    page["tables"].append((f"Referral, of {referred['n']} images", header, rows))
