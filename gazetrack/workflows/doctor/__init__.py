"""What is installed, where things are kept and what the machine has; and what is wrong with it."""
