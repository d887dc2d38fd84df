class WrongFile(Exception):
    """Why nothing can be read from the file, or the line that breaks it, in a sentence or two for a person."""


class WrongCell(Exception):
    """What is wrong with one cell, as the end of a sentence that begins with its column."""
