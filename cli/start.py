"""Where every command begins: signals and standard streams first, then what is slow to import."""

from __future__ import annotations

from typing import NoReturn

from .signals import begin


def gazetrack() -> NoReturn:
    """Run `gazetrack`."""
    begin()
    from .main import main

    main()


def train() -> NoReturn:
    """Run `gradtrack-train`."""
    begin()
    from .model_commands import train_main

    train_main()


def predict() -> NoReturn:
    """Run `gradtrack-predict`."""
    begin()
    from .model_commands import predict_main

    predict_main()


def evaluate() -> NoReturn:
    """Run `gradtrack-evaluate`."""
    begin()
    from .model_commands import evaluate_main

    evaluate_main()


def calibrate() -> NoReturn:
    """Run `gradtrack-calibrate`."""
    begin()
    from .model_commands import calibrate_main

    calibrate_main()


def export() -> NoReturn:
    """Run `gradtrack-export`."""
    begin()
    from .model_commands import export_main

    export_main()


def compare() -> NoReturn:
    """Run `gradtrack-compare`."""
    begin()
    from .model_commands import compare_main

    compare_main()


def view() -> NoReturn:
    """Run `gradtrack-view`."""
    begin()
    from .model_commands import view_main

    view_main()


def model() -> NoReturn:
    """Run `python -m gradtrack_model`."""
    begin()
    from .model_commands import module_main

    module_main()
