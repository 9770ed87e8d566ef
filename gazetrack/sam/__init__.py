"""Segment Anything and its kin, prompted by gaze or by a network's prediction.

They learned from masks of natural images: what they help to make is not made without masks.
"""
