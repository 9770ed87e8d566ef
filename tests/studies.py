"""Small studies for tests: jobs of several methods, and the command that compares them."""

from __future__ import annotations

from importlib import import_module

from click.testing import CliRunner

from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.study.jobs import Job
from tests.synthetic import TINY

SMALL = (
    "--preset tiny --steps 3 --image-size 64 --batch-size 2 "
    "--set val_every=2 --set tensorboard=false"
)


def run(line):
    command = import_module("gazetrack_cli.compare_methods").command
    return CliRunner().invoke(command, line.split(), catch_exceptions=False, standalone_mode=False)


def jobs_of(folder, methods=("full", "gradtrack"), seeds=(0,), **more):
    configs = [
        load_config("tiny", overrides=TINY | {"method": m, "seed": s} | more)
        for s in seeds
        for m in methods
    ]
    return [Job(config.method, config.seed, config, discover(folder)) for config in configs]
