"""From a model to what a person reads: probability, score, tier and reasons for every open lead."""
