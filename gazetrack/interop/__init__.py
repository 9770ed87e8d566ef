"""To other programs and back: pymovements, MNE, xarray, and all that speaks Arrow."""
