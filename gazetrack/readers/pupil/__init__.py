"""Pupil Labs: Core, and the exports of Pupil Cloud."""
