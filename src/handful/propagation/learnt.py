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
            "regained": (1.279, 1.785, 0.7182, -3.892, 3.892),
            "regained_share": (0.6895, 0.3456, 0.2182, 0, 1),
            "degree": (0.05483, 0.5506, 0.1571, -2.29, 3.557),
            "stability": (0.4895, 1.622, -0.0606, -3.892, 3.892),
            "smoothness": (2.118, 1.163, 0.2159, -2.072, 3.892),
            "balance": (0.8216, 0.2249, 0.2466, -0, 1),
            "is_head": (0, 1, 0, 0, 0),
            "is_head_spread": (0.1667, 0.3727, 0.07715, 0, 1),
            "is_spread_head": (0.1667, 0.3727, -0.04723, 0, 1),
        },
        "offset": 0.3241,
        "widths": ((0, 2.845),),
    },
    "single, vectors": {
        "signs": {
            "regained": (1.279, 1.785, 0.5678, -3.892, 3.892),
            "regained_share": (0.6895, 0.3456, 0.2132, 0, 1),
            "degree": (0.05483, 0.5506, 0.1702, -2.29, 3.557),
            "stability": (0.4895, 1.622, -0.0256, -3.892, 3.892),
            "smoothness": (2.118, 1.163, 0.1935, -2.072, 3.892),
            "balance": (0.8216, 0.2249, 0.1853, -0, 1),
            "is_head": (0, 1, 0, 0, 0),
            "is_head_spread": (0.1667, 0.3727, 0.04883, 0, 1),
            "is_spread_head": (0.1667, 0.3727, -0.08357, 0, 1),
            "partner_agrees": (0.691, 0.4621, 0.3435, 0, 1),
            "partnership": (0.3862, 1.298, 0.1293, -3.892, 3.892),
        },
        "offset": 0.3205,
        "widths": ((0, 2.677),),
    },
    "halves, graph": {
        "signs": {
            "regained": (1.896, 1.75, 0.8426, -3.892, 3.892),
            "regained_share": (0.7852, 0.3249, 0.03669, 0, 1),
            "degree": (0.05565, 0.5491, 0.2772, -2.323, 2.937),
            "stability": (1.234, 1.419, -0.3264, -3.892, 3.892),
            "smoothness": (1.846, 1.167, 0.2022, -2.313, 3.892),
            "balance": (0.8707, 0.1965, 0.2314, -0, 1),
            "is_head": (0, 1, 0, 0, 0),
            "is_head_spread": (0.1667, 0.3727, 0.06696, 0, 1),
            "is_spread_head": (0.1667, 0.3727, 0.001795, 0, 1),
            "halves_agree": (0.5965, 0.4906, 0.1543, 0, 1),
            "unity": (-0.2078, 2.263, 0.003574, -3.892, 3.892),
            "held_out": (-0.1357, 0.8952, 0.443, -2.854, 2.218),
            "trust": (0.5098, 0.2141, -0.2161, 0.1667, 0.9286),
            "trusted_unity": (-0.09829, 1.096, -0.01049, -3.373, 3.184),
            "trusted_stability": (0.632, 0.7477, -0.04222, -2.595, 3.459),
            "log_labels": (1.532, 0.6591, 0.3246, 0.6931, 2.303),
        },
        "offset": 0.8404,
        "widths": ((0.6931, 2.795), (1.609, 1.698), (2.303, 1.316),),
    },
    "halves, vectors": {
        "signs": {
            "regained": (1.896, 1.75, 0.6689, -3.892, 3.892),
            "regained_share": (0.7852, 0.3249, 0.02695, 0, 1),
            "degree": (0.05565, 0.5491, 0.2735, -2.323, 2.937),
            "stability": (1.234, 1.419, -0.2031, -3.892, 3.892),
            "smoothness": (1.846, 1.167, 0.1521, -2.313, 3.892),
            "balance": (0.8707, 0.1965, 0.1267, -0, 1),
            "is_head": (0, 1, 0, 0, 0),
            "is_head_spread": (0.1667, 0.3727, 0.0181, 0, 1),
            "is_spread_head": (0.1667, 0.3727, -0.04458, 0, 1),
            "partner_agrees": (0.7322, 0.4428, 0.5229, 0, 1),
            "partnership": (0.7361, 1.338, -0.05803, -3.892, 3.892),
            "halves_agree": (0.5965, 0.4906, 0.1041, 0, 1),
            "unity": (-0.2078, 2.263, 0.07666, -3.892, 3.892),
            "held_out": (-0.1357, 0.8952, 0.3675, -2.854, 2.218),
            "trust": (0.5098, 0.2141, -0.2218, 0.1667, 0.9286),
            "trusted_unity": (-0.09829, 1.096, -0.1552, -3.373, 3.184),
            "trusted_stability": (0.632, 0.7477, -0.1401, -2.595, 3.459),
            "log_labels": (1.532, 0.6591, 0.3239, 0.6931, 2.303),
            "trusted_partnership": (0.3755, 0.6465, 0.3024, -2.335, 2.915),
        },
        "offset": 0.8648,
        "widths": ((0.6931, 2.732), (1.609, 1.552), (2.303, 1.204),),
    },
}
