"""Which fields can be trusted at scoring time, by how they look for leads with a known outcome."""
