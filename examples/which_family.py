"""Which family of self-supervised learning suits the data: pictures, cells, tones and clips, with reasons.

Data: digits and wines (real, scikit-learn), tones and clips (MADE). Expected: contrastive for the pictures, masked or
autoencoding and never predictive for the cells; about 20 s.
"""

import sys
import tempfile
from pathlib import Path

import handful
from handful.guide.demos import make_demo


def main(quick: bool = False) -> dict[str, str]:
    families = {}
    with tempfile.TemporaryDirectory() as scratch:
        for kind in ("image", "table", "audio") if quick else ("image", "table", "text", "audio", "series", "video"):
            shown = make_demo(kind, Path(scratch) / kind)
            found = handful.advise(handful.read(shown.source, modality=kind))
            families[kind] = found.family
            print(f"{kind}: {found.family}; {'; '.join(found.families[0].preferred_because)}")
            refused = [one for one in found.families if not one.possible]
            print("".join(f"    not {one.family}: {one.not_recommended_because[0]}\n" for one in refused), end="")
    return families


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
