"""Image denoising: a denoising autoencoder, trained on clean pictures, cleans others that were spoilt.

Data: 1,797 real pictures of digits (scikit-learn), the last 300 with Gaussian noise of a fifth of the range. Writes
denoised.png: spoilt, cleaned, true, eight of each. Expected: 16.2 dB spoilt, 18.9 dB cleaned; about 30 s.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

import handful


def main(quick: bool = False, out: Path = Path("denoised.png")) -> float:
    pictures = load_digits().images * (255 / 16)
    known, clean = pictures[: 500 if quick else -300], pictures[-300:]
    spoilt = (clean + np.random.default_rng(0).normal(0, 51, clean.shape)).clip(0, 255).astype(np.uint8)
    encoder = handful.pretrain(handful.read(known.astype(np.uint8)), "denoising", epochs=10 if quick else 20)
    cleaned = ((np.asarray(handful.denoise(encoder, encoder.read(spoilt)))[:, 0] + 1) * 127.5).clip(0, 255)
    before, after = (float(10 * np.log10(255**2 / np.square(made - clean).mean())) for made in (spoilt, cleaned))
    picture = np.concatenate([np.concatenate(list(made[:8]), 1) for made in (spoilt, cleaned, clean)]).astype(np.uint8)
    Image.fromarray(picture).resize((512, 192), Image.Resampling.NEAREST).save(out)
    print(f"peak signal to noise: {before:.1f} dB spoilt, {after:.1f} dB cleaned; {out}")
    return after - before


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
