"""The loop, and the run folder it writes."""
