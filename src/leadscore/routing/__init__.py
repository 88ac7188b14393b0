"""Which rep gets which lead: the assignment problem, its solution, its reasons and its shadow prices."""
