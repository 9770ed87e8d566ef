"""What a trained network finds, and how good that is."""
