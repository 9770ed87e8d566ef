"""Whether probabilities are what they say, and whom to refer: the figures of docs/results.md.

    python benchmarks/calibration.py --data DATA [--weights kvasir-lite] [--out DIR] [--json FILE]

DATA holds images/, masks/ and val.txt. Done are the commands that the page shows: a temperature is
fitted on the images of val.txt (temperature.json: also what it does to the likelihood and the
calibration error of either half, fitted on the other), and these images are predicted over four
flips, evaluated with referral and calibration (evaluation/summary.json, report.html).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from _commands import run
from _timing import save, where_and_when


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", default="kvasir-lite")
    parser.add_argument("--out", type=Path, default=Path("calibration"))
    parser.add_argument("--json")
    options = parser.parse_args()
    stamp = where_and_when()
    images, masks = options.data / "images", options.data / "masks"
    ids = ("--ids", options.data / "val.txt")
    weights = ("--weights", options.weights)

    temperature = options.out / "temperature.json"
    temperature.parent.mkdir(parents=True, exist_ok=True)
    run("calibrate", images, masks, *weights, *ids, "-o", temperature)
    predictions = options.out / "predictions"
    written = ("--tta", "--uncertainty", "--probabilities")
    run("predict", images, *weights, *written, *ids, "-o", predictions)
    evaluation = options.out / "evaluation"
    run("evaluate", predictions, masks, "--html", *ids, "-o", evaluation)

    fitted = json.loads(temperature.read_text("utf-8"))
    summary = json.loads((evaluation / "summary.json").read_text("utf-8"))
    figures = {
        "temperature": fitted["temperature"],
        **fitted["measured"],
        "with_flips": {"ece": summary["calibration"]["ece"], "referral": summary["referral"]},
    }
    print(json.dumps(figures, indent=2))
    save(options.json, {**stamp, "weights": options.weights, **figures})


if __name__ == "__main__":
    main()
