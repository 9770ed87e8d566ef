"""How good the gaze of a recording is: loss, accuracy and precision."""
