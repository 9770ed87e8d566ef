"""Images, masks and gaze as batches: the wing that knows the toolkit."""
