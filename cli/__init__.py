"""The commands of gazetrack and GradTrack."""
