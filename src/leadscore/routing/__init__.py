"""Which rep gets which lead: the problem, its solution, reasons and shadow prices."""
