"""Song similarity for a recommender: the sounds most like one, from a folder of sound files.

Data: 200 MADE tones (falling, rising, steady, trembling); a folder of songs as argument takes their place. Expected:
the five sounds recommended are all of the sort asked for; about 10 s.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

import handful
from handful.guide.demos import make_demo


def main(quick: bool = False, folder: str | None = None) -> float:
    with tempfile.TemporaryDirectory() as scratch:
        made = make_demo("audio", Path(scratch) / "songs")
        data = handful.read(folder or f"{scratch}/songs", modality="audio")
        embeddings = handful.pretrain(data, "untrained").embed(data)
    query = str(data.ids[0])
    found = handful.similar(embeddings, query, 5)
    print(
        f"most like {query}:",
        ", ".join(f"{name} ({cosine:.2f})" for name, cosine in zip(found.ids, found.likeness, strict=True)),
    )
    if folder is not None:
        return float(found.likeness[0])
    kind = dict(zip(map(str, data.ids), made.truth, strict=True))
    asked = data.ids[:: 20 if quick else 4]
    shares = [np.mean([kind[n] == kind[q] for n in handful.similar(embeddings, q, 5).ids]) for q in map(str, asked)]
    print(f"made tones: {np.mean(shares):.1%} of the five recommended are of the same sort (chance 25%)")
    return float(np.mean(shares))


if __name__ == "__main__":
    paths = [word for word in sys.argv[1:] if not word.startswith("-")]
    main(quick="--quick" in sys.argv, folder=paths[0] if paths else None)
