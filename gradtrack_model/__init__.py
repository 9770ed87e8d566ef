"""GradTrack: gaze-track-based weakly supervised segmentation, in PyTorch."""
