"""The network and its losses, which know nothing of the toolkit."""
