"""Settings with a name: presets, one for each kind of data set, and methods, which can be compared.

Both are layers of plain settings over the defaults of `gradtrack_model.config`, and nothing else.
`gradtrack_model.settings` lays a method over a preset.
"""

from __future__ import annotations

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "tiny": {
        "image_size": 96,
        "steps": 300,
        "val_every": 50,
        "model": {"encoder": "basic", "widths": (8, 16, 32, 64, 64, 16)},
        "optimizer": {"lr": 3e-3, "warmup": 20},
    },
    # Endoscopy, where no side is up: what was best on Kvasir-SEG (docs/results.md), together with
    # the method `plain`. Which method is trained, a preset does not say.
    "polyp": {
        "image_size": 256,
        "predict_scale": 1.25,
        "steps": 2000,
        "val_every": 250,
        "ema": 0.998,
        "maps": {"threshold": 0.17},
        "augment": {
            "scale": 0.4,
            "rotate": 180.0,
            "translate": 0.1,
            "brightness": 0.3,
            "contrast": 0.3,
            "saturation": 0.3,
            "gamma": 0.2,
            "hue": 8.0,
            "cutmix": 0.3,
        },
    },
    # The released recipe of GazeMedSeg; its loss has no Dice term.
    "gazemedseg": {
        "steps": 15000,
        "val_every": 1000,
        "model": {"encoder": "basic"},
        "loss": {"dice_weight": 0.0},
        "optimizer": {"name": "sgd", "lr": 1e-2, "weight_decay": 4e-4, "warmup": 0, "clip": 0.0},
        "augment": dict.fromkeys(
            ("scale", "rotate", "translate", "brightness", "contrast", "saturation"), 0.0
        ),
    },
}

_PLAIN = {"model": {"attention": False}, "loss": {"track_weight": 0.0}}
# Sigma of GazeMedSeg: 70 of its canvas of 768 pixels, for Kvasir-SEG; maps.blur=0.0651 is that of
# NCI-ISBI.
_HEATMAP = {
    "kind": "heatmap",
    "levels": 1,
    "blur": 70 / 768,
    "drop_first": 0,
    "min_duration_ms": 0.0,
}

METHODS: dict[str, dict[str, Any]] = {
    "gradtrack": {},
    "plain": _PLAIN,  # the same labels without Track Attention: the label alone trains
    "full": _PLAIN,  # masks are the labels, see `gradtrack_model.data.loading.load_data`
    "heatmap": _PLAIN | {"maps": _HEATMAP},
    # Zhong et al. 2024 as released: two networks, heatmaps on its canvas of 768 x 768, a CRF of
    # weight 1, thresholds for Kvasir-SEG; thresholds=[0.2, 0.4] for NCI-ISBI.
    "gazemedseg": {
        "crf_weight": 1.0,
        "model": {"attention": False, "networks": 2},
        "maps": _HEATMAP | {"kind": "gazemedseg"},
        "loss": {
            "track_weight": 0.0,
            "dice_weight": 0.0,
            "thresholds": (0.5, 0.3),
            "consistency_weight": 3.0,
        },
    },
    # Controls of GradTrack, one thing changed each: does order help, does attention, does its
    # supervision?
    "gradtrack-none": {"maps": {"truncation": "none"}},
    "gradtrack-head": {"maps": {"truncation": "head"}},
    "gradtrack-random": {"maps": {"truncation": "random"}},
    "gradtrack-shuffled": {"maps": {"truncation": "shuffled"}},
    "gradtrack-discs": {"maps": {"kind": "disc"}},
    "gradtrack-no-attention": {"model": {"attention": False}},
    "gradtrack-no-supervision": {"loss": {"track_weight": 0.0}},
    "gradtrack-gates": {
        "model": {"attention": False, "gates": True},
        "loss": {"track_weight": 0.0},
    },
}
