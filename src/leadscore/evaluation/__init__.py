"""How good probabilities are: metrics, intervals, curves, breakdowns, learning curve, reference."""
