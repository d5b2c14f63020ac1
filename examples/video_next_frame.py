"""Video, the next frame: a network that moves layers of the last frame guesses what comes after half a clip.

Data: 80 clips MADE by moving a window over two real photos (scikit-learn). Writes next.mp4 and next-error.mp4.
Prints the squared error a pixel of the last two frames beside that of a copy. Expected: 2294 and 3788; about 25 s.
"""

import sys
from pathlib import Path

import handful
from handful.guide.demos import make_demo
from handful.tasks.next_frames import next_frames, write_next


def main(quick: bool = False, out: Path = Path("next.mp4")) -> float:
    clips = make_demo("video", out.parent).source[:: 8 if quick else 2]
    clips = clips[..., ::2, ::2] if quick else clips
    data = handful.read(clips, modality="video")
    encoder = handful.pretrain(data, "forecast", epochs=2 if quick else 15)
    found = next_frames(encoder, data, row=0, steps=2)
    paths = write_next(found, out)
    print(f"squared error a pixel of the last two frames: {found.error:.0f}, copying the frame before "
          f"{found.copy_error:.0f}; {', '.join(map(str, paths))}")  # fmt: skip
    return found.error / found.copy_error


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
