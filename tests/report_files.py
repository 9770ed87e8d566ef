"""Studies that reports are made of: a small one, and one whose every name is hostile."""

import numpy as np

from gazetrack.simulate.example import SCREEN, simulate_gaze
from gazetrack.simulate.trackers import Trial, write_asc, write_tobii_tsv
from gazetrack.tables.placement import place

MARKUP = "<script>window.hit=1</script>\"'&\\"
IMAGE = "<img src=x onerror=window.hit=1>"
TURNED = "\u202egnp.txt"


def trials(names, seed=0):
    """Trials of three seconds on images of these names."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((96, 128), bool)
    mask[30:60, 40:80] = True
    placement = place("fit", SCREEN, 128, 96)
    return [Trial(name, placement, simulate_gaze(mask, rng, 3000.0)) for name in names]


def write_hostile(folder):
    """Two exports: file, participant, stimulus, trial and message have markup for names."""
    rng = np.random.default_rng(0)
    asc = folder / f"a{IMAGE.replace('/', '')}.asc"
    write_asc(asc, trials(["plain.png"]), SCREEN, 250, rng)
    text = asc.read_text("utf-8").replace("TRIALID 1", f"TRIALID {MARKUP}")
    text = text.replace("TRIAL_RESULT 0", f"note {MARKUP} {TURNED}")
    asc.write_text(text, "utf-8")
    tsv = folder / "tobii.tsv"
    write_tobii_tsv(tsv, trials([IMAGE + TURNED]), SCREEN, 60, rng)
    text = (
        tsv.read_text("utf-8")
        .replace("P02", MARKUP.replace('"', ""))
        .replace("reader-2", TURNED + IMAGE)
    )
    tsv.write_text(text, "utf-8")
    (folder / f"{IMAGE}{TURNED}.asc").write_text("** CONVERTED FROM x\nSTART\t5 \tRIGHT\n", "utf-8")
    return folder
