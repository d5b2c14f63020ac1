"""Text -> transformer embeddings -> label propagation: six sentences, four of them labelled.

Data: six sentences, written here. A folder of a pretrained transformer as argument is what they need; without one they
are told by the words they share, and it says how unsure it is. Expected: good for the fifth at .80, bad for the sixth
at .52, which it calls unsure; about 10 s.
"""

import sys
import tempfile

import handful

SENTENCES = [
    "I love this film, the actors are wonderful",
    "A wonderful story and I love the music",
    "I hate this film, the actors are terrible",
    "A terrible story and I hate the music",
    "I love the story of this wonderful film",
    "the plot went from one city to another",
]
LABELS = ["good", "good", "bad", "bad", None, None]


def main(quick: bool = False, encoder: str | None = None) -> float:
    data = handful.read(SENTENCES, LABELS, "text")
    with tempfile.TemporaryDirectory() as scratch:
        how = {"encoder": encoder} if encoder else {"method": "tfidf"}
        run = handful.label(data, out=f"{scratch}/run", n_neighbors=3, **how)
        answers = run.labels.to_pylist()
    for text, row in zip(SENTENCES, answers, strict=True):
        unsure = "" if row["source"] == "given" or row["confidence"] > 0.8 else "  <- unsure"
        print(
            f"{row['confidence']:.2f} {row['label'] or '(none)':6} {row['source'] or 'not reached':10} {text}{unsure}"
        )
    return answers[4]["confidence"] - answers[5]["confidence"]


if __name__ == "__main__":
    paths = [word for word in sys.argv[1:] if not word.startswith("-")]
    main(quick="--quick" in sys.argv, encoder=paths[0] if paths else None)
