"""What was known when: spells, snapshots (the one door to the past), labels, weights, splits."""
