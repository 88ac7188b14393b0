"""Tables of numbers drawn as inline SVG."""
