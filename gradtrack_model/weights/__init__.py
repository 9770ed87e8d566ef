"""Networks on disk: checkpoints, the released ones, and other formats."""
