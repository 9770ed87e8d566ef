"""What many recordings are worked on by: this process, several of this machine, or a cluster."""
