"""What people write for options: the words of a command line, their values, and their mistakes."""
