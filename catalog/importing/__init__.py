"""From a file that staff bring to what it says of each product: bytes -> table -> rows -> plan. Nothing here writes."""
