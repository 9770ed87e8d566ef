"""Which runs Optuna's MedianPruner ends, for `tests/study/test_pruning.py`: a tiny table, once.

Usage: python benchmarks/pruning_golden.py > tests/study/pruning.json (needs optuna).
"""

from __future__ import annotations

import json

import numpy as np
import optuna

STEPS, EVERY, RUNS, LEAST = 30, 5, 40, 3


def main() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=LEAST, n_warmup_steps=STEPS // 3)
    study = optuna.create_study(direction="maximize", pruner=pruner)
    rng = np.random.default_rng(0)
    runs = []
    for _ in range(RUNS):
        level, noise = rng.uniform(0.3, 0.9), rng.normal(0, 0.05, STEPS // EVERY)
        curve = {
            step: round(float(level * step / STEPS + noise[step // EVERY - 1]), 4)
            for step in range(EVERY, STEPS + 1, EVERY)
        }
        trial, ended = study.ask(), None
        for step, value in curve.items():
            trial.report(value, step)
            # A run that has taken all its steps is not ended any more.
            if step < STEPS and trial.should_prune():
                ended = step
                break
        if ended is None:
            study.tell(trial, value)
        else:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        runs.append({"curve": curve, "ended": ended})
    print(json.dumps({"optuna": optuna.__version__, "steps": STEPS, "runs": runs}))


if __name__ == "__main__":
    main()
