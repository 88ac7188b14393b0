"""Which fields can be trusted at scoring time: what each looked like for leads whose outcome is known."""
