"""One file for each kind of data: reading it, batches, random views, tokens. Knows no loss.

Reading is split in two: `handful.data` walks folders and tables, reads labels, keeps the decoded store; a kind of data
says what an item is and decodes it.
"""

from handful.modalities.reading import read

__all__ = ["read"]
