"""What is known of a lead: features declared once, as data, and the matrix that they fill."""
