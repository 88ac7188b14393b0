"""What became of scores: settled, judged beside others, and watched for drift."""
