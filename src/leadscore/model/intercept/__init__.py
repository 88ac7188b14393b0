"""The running intercept: by how many log-odds leads lately win more, or less, than predicted."""
