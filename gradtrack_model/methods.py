"""The methods that can be compared on the same data and network: each is a layer of settings, and nothing else."""

from __future__ import annotations

from typing import Any

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
    "full": _PLAIN,  # masks are the labels, see data.py
    "heatmap": _PLAIN | {"maps": _HEATMAP},
    # Zhong et al. 2024, with two heads on one network in place of two networks; thresholds=[0.2,
    # 0.4] for NCI-ISBI.
    "gazemedseg": {
        "model": {"attention": False, "heads": 2},
        "maps": _HEATMAP,
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
