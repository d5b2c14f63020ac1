"""The samples of a SoundFont 2 file with the family of instruments that plays them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

FAMILIES = (
    *("piano", "chromatic percussion", "organ", "guitar", "bass", "strings", "ensemble", "brass"),
    *("reed", "pipe", "synth lead", "synth pad", "synth effects", "ethnic", "percussive", "sound effects"),
)
"""General MIDI: eight presets each, in this order."""
_INSTRUMENT, _SAMPLE = 41, 53  # generators of a zone that name an instrument, and a sample
_RIGHT = 2
_HEAD = np.dtype([("name", "S20"), ("preset", "<u2"), ("bank", "<u2"), ("zone", "<u2"), ("rest", "V12")])
_INST = np.dtype([("name", "S20"), ("zone", "<u2")])
_ZONE = np.dtype([("first", "<u2"), ("modulators", "<u2")])
_GENERATOR = np.dtype([("kind", "<u2"), ("amount", "<u2")])
_SHDR = np.dtype(
    [
        ("name", "S20"),
        *((name, "<u4") for name in ("start", "end", "loop", "loop_end", "rate")),
        ("pitch", "V4"),
        ("kind", "<u2"),
    ]
)


def read_chunks(path: Path) -> dict[str, np.ndarray]:
    """Return the chunks of a RIFF file by name, memory-mapped, those of its lists too."""
    raw = np.memmap(path, np.uint8, "r")
    found: dict[str, np.ndarray] = {}

    def read(at: int, end: int) -> None:
        while at + 8 <= end:
            name, size = raw[at : at + 4].tobytes().decode("latin1"), int(raw[at + 4 : at + 8].view("<u4")[0])
            if name in ("RIFF", "LIST"):
                read(at + 12, at + 8 + size)
            else:
                found[name] = raw[at + 8 : at + 8 + size]
            at += 8 + size + size % 2

    read(0, len(raw))
    return found


def named(zones: np.ndarray, generators: np.ndarray, first: int, last: int, kind: int) -> list[int]:
    """Return what the generators of one kind name in the zones from `first` to before `last`."""
    inside = generators[zones["first"][first] : zones["first"][last]]
    return inside["amount"][inside["kind"] == kind].tolist()


def read_samples(path: Path) -> tuple[list[np.ndarray], list[int], list[str], list[str]]:
    """Return of every note of a melodic preset, one of a stereo pair: int16 [n], its rate, its family, its name."""
    chunks = read_chunks(path)

    def table(name: str, kind: np.dtype) -> np.ndarray:
        return np.frombuffer(chunks[name].tobytes(), kind)

    presets, instruments, headers = table("phdr", _HEAD), table("inst", _INST), table("shdr", _SHDR)
    preset_zones, preset_generators = table("pbag", _ZONE), table("pgen", _GENERATOR)
    zones, generators = table("ibag", _ZONE), table("igen", _GENERATOR)
    family: dict[int, int] = {}
    for place in range(len(presets) - 1):
        if presets["bank"][place] != 0:
            continue
        ends = presets["zone"][place], presets["zone"][place + 1]
        for instrument in named(preset_zones, preset_generators, *ends, _INSTRUMENT):
            inner = instruments["zone"][instrument], instruments["zone"][instrument + 1]
            for sample in named(zones, generators, *inner, _SAMPLE):
                family.setdefault(sample, int(presets["preset"][place]) // 8)
    waves = chunks["smpl"].view("<i2")
    mono = headers["kind"] != _RIGHT  # the right half of a stereo pair is the same note
    kept = [one for one in sorted(family) if mono[one] and headers["end"][one] - headers["start"][one] > 500]
    return (
        [np.array(waves[headers["start"][sample] : headers["end"][sample]]) for sample in kept],
        [int(headers["rate"][sample]) for sample in kept],
        [FAMILIES[family[sample]] for sample in kept],
        [headers["name"][sample].decode("latin1").strip("\0 ") for sample in kept],
    )
