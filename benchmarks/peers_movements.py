"""What other packages find in the signals of `tests/eye_signals.py`: numbers that tests hold.

Run in an environment with pymovements and pupeyes; gazetrack is not needed:

    PYTHONPATH=. python benchmarks/peers_movements.py > tests/events/peers_movements.json

Microsaccades: pymovements (Krakowczyk et al. 2023), given the velocities of the Microsaccade
Toolbox 0.9. Blinks: the Python version of the code of Hershman et al. (2018) that pupeyes ships.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np

from tests.eye_signals import fixational, pupil_with_blinks


def toolbox_velocity(position, hz):
    """Return the velocity of the toolbox's function vecvel [n, 2], as it writes it down."""
    v = np.zeros_like(position)
    v[2:-2] = (position[4:] + position[3:-1] - position[1:-3] - position[:-4]) * hz / 6
    v[1] = (position[2] - position[0]) * hz / 2
    v[-2] = (position[-1] - position[-3]) * hz / 2
    return v


def microsaccades():
    """Return onsets and last moments, ms, of either eye."""
    from pymovements.events.detection.microsaccades import microsaccades as detect

    t, eyes = fixational()
    found = {}
    for name, position in zip(("left", "right"), eyes, strict=True):
        velocity = toolbox_velocity(position, 500.0)
        # 6 ms from the first sample to the end of the last are 4 ms from the first to the last.
        events = detect(velocity, t, minimum_duration=4, threshold="engbert2003")
        found[name] = [
            [float(onset), float(offset)]
            for onset, offset in zip(events.frame["onset"], events.frame["offset"], strict=True)
        ]
    return found


def blinks():
    """Return the runs [first, end) of the blinks."""
    # By its file: the package itself asks for a display's worth of others.
    folder = find_spec("pupeyes").submodule_search_locations[0]
    name = "based_noise_blinks_detection"
    spec = spec_from_file_location(name, Path(folder) / "external" / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    _, size = pupil_with_blinks()
    found = module.based_noise_blinks_detection(size, 500)
    pairs = zip(found["blink_onset"], found["blink_offset"], strict=True)
    return [[int(first), int(end)] for first, end in pairs]


def main():
    """Print all of it, with the versions that gave it."""
    names = ("pymovements", "pupeyes", "numpy")
    found = {
        "versions": {name: version(name) for name in names},
        "microsaccades": microsaccades(),
        "blinks": blinks(),
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
