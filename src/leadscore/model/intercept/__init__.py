"""The running intercept: how many log-odds more, or fewer, leads are won lately than the model predicts."""
