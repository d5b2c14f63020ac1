"""What each sign of `evidence` is worth. Written by benchmarks/fit_confidence.py, not by hand.

A sign has its centre, scale and weight, and the range it was taught on. `widths` holds, by the logarithm of
the labels a class, how far the accuracy of nine in ten problems from left-out data sets lay from the stated
one, in log odds.

Taught on: acsf1, ag_minilm, ag_tfidf, arrowhead, basicmotions, breastcancer, cancer, cl_eff, cl_hog, cl_pca,
digits, dna, esc10, fm_hog, fm_pca, fsdd, glass, gunpoint, housevotes84, ionosphere, iris, italypowerdemand,
japanesevowels, letterrecognition, ng20_tfidf, osuleaf, pimaindiansdiabetes, r52_tfidf, r8_minilm, r8_tfidf,
satellite, shuttle, sonar, soybean, vehicle, vowel, wine.
"""

from typing import Any

MODELS: dict[str, dict[str, Any]] = {
    "single, graph": {
        "signs": {
            "regained": (1.279, 1.785, 0.8037, -3.892, 3.892),
            "regained_share": (0.6895, 0.3456, 0.2572, 0, 1),
            "degree": (0.05483, 0.5506, 0.1877, -2.29, 3.557),
            "stability": (0.4895, 1.622, -0.112, -3.892, 3.892),
            "smoothness": (2.118, 1.163, 0.3099, -2.072, 3.892),
            "balance": (0.8216, 0.2249, 0.3023, -0, 1),
            "is_head": (0, 1, 0, 0, 0),
            "is_head_spread": (0.1667, 0.3727, 0.0682, 0, 1),
            "is_spread_head": (0.1667, 0.3727, -0.04214, 0, 1),
        },
        "offset": 0.4534,
        "widths": ((0, 2.697),),
    },
    "single, vectors": {
        "signs": {
            "regained": (1.279, 1.785, 0.6457, -3.892, 3.892),
            "regained_share": (0.6895, 0.3456, 0.2466, 0, 1),
            "degree": (0.05483, 0.5506, 0.179, -2.29, 3.557),
            "stability": (0.4895, 1.622, -0.08104, -3.892, 3.892),
            "smoothness": (2.118, 1.163, 0.2744, -2.072, 3.892),
            "balance": (0.8216, 0.2249, 0.2221, -0, 1),
            "is_head": (0, 1, 0, 0, 0),
            "is_head_spread": (0.1667, 0.3727, 0.04289, 0, 1),
            "is_spread_head": (0.1667, 0.3727, -0.07828, 0, 1),
            "partner_agrees": (0.691, 0.4621, 0.3827, 0, 1),
            "partnership": (0.3862, 1.298, 0.144, -3.892, 3.892),
        },
        "offset": 0.4516,
        "widths": ((0, 2.753),),
    },
    "halves, graph": {
        "signs": {
            "regained": (1.896, 1.75, 0.9374, -3.892, 3.892),
            "regained_share": (0.7852, 0.3249, 0.03085, 0, 1),
            "degree": (0.05565, 0.5491, 0.3064, -2.323, 2.937),
            "stability": (1.234, 1.419, -0.2713, -3.892, 3.892),
            "smoothness": (1.846, 1.167, 0.2707, -2.313, 3.892),
            "balance": (0.8707, 0.1965, 0.2437, -0, 1),
            "is_head": (0, 1, 0, 0, 0),
            "is_head_spread": (0.1667, 0.3727, 0.05641, 0, 1),
            "is_spread_head": (0.1667, 0.3727, -0.002757, 0, 1),
            "halves_agree": (0.5965, 0.4906, 0.1474, 0, 1),
            "unity": (-0.2078, 2.263, 0.0891, -3.892, 3.892),
            "held_out": (-0.1357, 0.8952, 0.4028, -2.854, 2.218),
            "trust": (0.5098, 0.2141, -0.2085, 0.1667, 0.9286),
            "trusted_unity": (-0.09829, 1.096, -0.02479, -3.373, 3.184),
            "trusted_stability": (0.632, 0.7477, -0.1745, -2.595, 3.459),
            "log_labels": (1.532, 0.6591, 0.2962, 0.6931, 2.303),
        },
        "offset": 0.9498,
        "widths": (
            (0.6931, 2.467),
            (1.609, 1.629),
            (2.303, 1.282),
        ),
    },
    "halves, vectors": {
        "signs": {
            "regained": (1.896, 1.75, 0.7454, -3.892, 3.892),
            "regained_share": (0.7852, 0.3249, 0.02085, 0, 1),
            "degree": (0.05565, 0.5491, 0.2951, -2.323, 2.937),
            "stability": (1.234, 1.419, -0.1374, -3.892, 3.892),
            "smoothness": (1.846, 1.167, 0.2056, -2.313, 3.892),
            "balance": (0.8707, 0.1965, 0.1464, -0, 1),
            "is_head": (0, 1, 0, 0, 0),
            "is_head_spread": (0.1667, 0.3727, 0.009179, 0, 1),
            "is_spread_head": (0.1667, 0.3727, -0.04689, 0, 1),
            "partner_agrees": (0.7322, 0.4428, 0.5308, 0, 1),
            "partnership": (0.7361, 1.338, -0.08539, -3.892, 3.892),
            "halves_agree": (0.5965, 0.4906, 0.09988, 0, 1),
            "unity": (-0.2078, 2.263, 0.1971, -3.892, 3.892),
            "held_out": (-0.1357, 0.8952, 0.3338, -2.854, 2.218),
            "trust": (0.5098, 0.2141, -0.2407, 0.1667, 0.9286),
            "trusted_unity": (-0.09829, 1.096, -0.2228, -3.373, 3.184),
            "trusted_stability": (0.632, 0.7477, -0.2762, -2.595, 3.459),
            "log_labels": (1.532, 0.6591, 0.3038, 0.6931, 2.303),
            "trusted_partnership": (0.3755, 0.6465, 0.3385, -2.335, 2.915),
        },
        "offset": 0.9592,
        "widths": (
            (0.6931, 2.46),
            (1.609, 1.493),
            (2.303, 1.229),
        ),
    },
}
