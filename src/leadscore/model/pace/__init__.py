"""When within the horizon a win comes, by the features of a lead."""
