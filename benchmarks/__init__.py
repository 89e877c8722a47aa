"""What prints a figure: each benchmark is a module whose last line is the figure that the docs quote."""
