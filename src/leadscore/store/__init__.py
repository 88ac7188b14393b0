"""What was ingested, kept for ever: versions as manifests over shared, content-hashed files.

Receipts.
"""
