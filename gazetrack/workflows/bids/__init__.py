"""Exports as a BIDS data set: names, tables of each eye, sidecars, and what is derived of them."""
