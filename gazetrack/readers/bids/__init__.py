"""BIDS eye tracking (BEP020)."""
