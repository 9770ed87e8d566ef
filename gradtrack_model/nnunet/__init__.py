"""A trainer for nnU-Net v2, in a folder of its own: nnU-Net imports all that it finds there."""

from pathlib import Path

# What nnU-Net's variable nnUNet_extTrainer names, and the trainer there.
FOLDER = Path(__file__).parent
TRAINER = "nnUNetTrainerGaze"
