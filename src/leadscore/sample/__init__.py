"""A synthetic CRM whose true win probabilities are known."""
