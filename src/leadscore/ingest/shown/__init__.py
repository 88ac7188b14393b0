"""What people see of leads: it lies beside the store, and can be erased by lead or by contact."""
