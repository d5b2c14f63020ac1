"""What each sign of `evidence` is worth. Written by benchmarks/fit_confidence.py, not by hand.

A sign has its centre, scale and weight, and the range it was taught on. `widths` holds, by the logarithm of
the labels a class, how far the accuracy of nine in ten problems from left-out data sets lay from the stated
one, in log odds.

Taught on: acsf1, acsf1_own, arrowhead, arrowhead_own, basicmotions, basicmotions_own, breastcancer,
breastcancer_own, cl_hog, cl_pca, dna, dna_own, esc10_own, fsdd_own, glass, glass_own, gunpoint, gunpoint_own,
housevotes84, housevotes84_own, ionosphere, ionosphere_own, iris, italypowerdemand, italypowerdemand_own,
japanesevowels, japanesevowels_own, letterrecognition, letterrecognition_own, ng20_minilm, ng20_tfidf, osuleaf,
osuleaf_own, pimaindiansdiabetes, pimaindiansdiabetes_own, r52_minilm, r52_tfidf, r8_minilm, r8_tfidf, satellite,
satellite_own, shuttle, shuttle_own, sonar, sonar_own, soybean, soybean_own, vehicle, vehicle_own, vowel, vowel_own,
wine.
"""

from typing import Any

MODELS: dict[str, dict[str, Any]] = {
    "single, graph": {
        "signs": {
            "regained": (1.886, 1.728, 0.642, -3.892, 3.892),
            "regained_share": (0.7774, 0.3091, 0.05163, 0, 1),
            "kin_agrees": (0.8521, 0.355, 0.363, 0, 1),
            "smoothness": (2.79, 0.9767, 0.0805, -0.004132, 3.892),
            "balance": (0.8568, 0.2075, 0.2156, -0, 1),
            "stability": (1.091, 1.653, 0.02487, -3.892, 3.892),
            "kinship": (1.67, 1.426, 0.1284, -3.892, 3.892),
            "is_blend": (0.2, 0.4, -0.0499, 0, 1),
            "is_settled": (0.2, 0.4, -0.05359, 0, 1),
            "is_head": (0, 1, 6.038e-06, 0, 0),
            "is_head_spread": (0.2, 0.4, 0.1366, 0, 1),
            "is_spread_head": (0.2, 0.4, -0.06704, 0, 1),
            "degree": (0.04862, 0.6938, 0.2126, -2.374, 3.363),
            "log_classes": (1.418, 0.7619, -0.3292, 0.6931, 3.258),
        },
        "offset": 0.8443,
        "widths": ((0, 2.597),),
    },
    "single, vectors": {
        "signs": {
            "regained": (1.886, 1.728, 0.562, -3.892, 3.892),
            "regained_share": (0.7774, 0.3091, 0.0648, 0, 1),
            "kin_agrees": (0.8521, 0.355, 0.2619, 0, 1),
            "smoothness": (2.79, 0.9767, 0.07481, -0.004132, 3.892),
            "balance": (0.8568, 0.2075, 0.1576, -0, 1),
            "stability": (1.091, 1.653, 0, -3.892, 3.892),
            "kinship": (1.67, 1.426, 0.08864, -3.892, 3.892),
            "partner_agrees": (0.7191, 0.4495, 0.2919, 0, 1),
            "partnership": (0.453, 1.327, 0.1434, -3.892, 3.892),
            "is_blend": (0.2, 0.4, -0.03992, 0, 1),
            "is_settled": (0.2, 0.4, -0.03506, 0, 1),
            "is_head": (0, 1, -5.849e-05, 0, 0),
            "is_head_spread": (0.2, 0.4, 0.06647, 0, 1),
            "is_spread_head": (0.2, 0.4, -0.1248, 0, 1),
            "degree": (0.04862, 0.6938, 0.2046, -2.374, 3.363),
            "log_classes": (1.418, 0.7619, -0.3389, 0.6931, 3.258),
        },
        "offset": 0.8447,
        "widths": ((0, 2.645),),
    },
    "halves, graph": {
        "signs": {
            "regained": (2.418, 1.6, 0.6489, -3.892, 3.892),
            "regained_share": (0.8551, 0.2809, 0, 0, 1),
            "kin_agrees": (0.8708, 0.3354, 0.264, 0, 1),
            "smoothness": (2.553, 1.034, 0.1463, -0.005399, 3.892),
            "balance": (0.8812, 0.1848, 0.2013, -0, 1),
            "stability": (1.817, 1.468, 0, -3.892, 3.892),
            "kinship": (1.864, 1.33, 0, -3.892, 3.892),
            "halves_agree": (0.6509, 0.4227, 0.1888, 0, 1),
            "unity": (0.1582, 2.375, 0, -3.892, 3.892),
            "held_out": (0.0546, 0.8973, 0.3762, -2.78, 2.819),
            "is_blend": (0.2, 0.4, 0.01203, 0, 1),
            "is_settled": (0.2, 0.4, -0.0942, 0, 1),
            "is_head": (0, 1, -8.681e-05, 0, 0),
            "is_head_spread": (0.2, 0.4, 0.0793, 0, 1),
            "is_spread_head": (0.2, 0.4, -0.1131, 0, 1),
            "degree": (0.03952, 0.6876, 0.3136, -2.764, 3.242),
            "log_classes": (1.449, 0.7636, -0.2712, 0.6931, 3.258),
            "log_labels": (1.529, 0.6586, -0.02213, 0.6931, 2.303),
        },
        "offset": 1.371,
        "widths": (
            (0.6931, 2.05),
            (1.609, 1.686),
            (2.303, 1.447),
        ),
    },
    "halves, vectors": {
        "signs": {
            "regained": (2.418, 1.6, 0.5404, -3.892, 3.892),
            "regained_share": (0.8551, 0.2809, 0, 0, 1),
            "kin_agrees": (0.8708, 0.3354, 0.1373, 0, 1),
            "smoothness": (2.553, 1.034, 0.124, -0.005399, 3.892),
            "balance": (0.8812, 0.1848, 0.1214, -0, 1),
            "stability": (1.817, 1.468, 0, -3.892, 3.892),
            "kinship": (1.864, 1.33, 0, -3.892, 3.892),
            "partner_agrees": (0.7882, 0.4086, 0.4623, 0, 1),
            "partnership": (1.068, 1.309, 0.1664, -3.892, 3.892),
            "halves_agree": (0.6509, 0.4227, 0.1528, 0, 1),
            "unity": (0.1582, 2.375, 0, -3.892, 3.892),
            "held_out": (0.0546, 0.8973, 0.282, -2.78, 2.819),
            "is_blend": (0.2, 0.4, -0.0244, 0, 1),
            "is_settled": (0.2, 0.4, -0.07223, 0, 1),
            "is_head": (0, 1, 1.38e-05, 0, 0),
            "is_head_spread": (0.2, 0.4, 0.01862, 0, 1),
            "is_spread_head": (0.2, 0.4, -0.1535, 0, 1),
            "degree": (0.03952, 0.6876, 0.2999, -2.764, 3.242),
            "log_classes": (1.449, 0.7636, -0.2565, 0.6931, 3.258),
            "log_labels": (1.529, 0.6586, -0.02819, 0.6931, 2.303),
        },
        "offset": 1.403,
        "widths": (
            (0.6931, 1.985),
            (1.609, 1.496),
            (2.303, 1.301),
        ),
    },
}
