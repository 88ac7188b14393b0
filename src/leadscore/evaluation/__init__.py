"""How good probabilities are: metrics with intervals, curves, breakdowns, the learning curve, the reference."""
