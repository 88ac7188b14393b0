"""Checks of whole tables: rules, duplicates, ids and values of an unusual form."""
