"""Many files at a time: what the commands do, as functions."""
