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
            "regained": (1.886, 1.728, 0.6416, -3.892, 3.892),
            "regained_share": (0.7774, 0.3091, 0.05193, 0, 1),
            "kin_agrees": (0.8521, 0.355, 0.3627, 0, 1),
            "smoothness": (2.79, 0.9767, 0.08042, -0.004132, 3.892),
            "balance": (0.8568, 0.2075, 0.2158, -0, 1),
            "stability": (1.091, 1.653, 0.02493, -3.892, 3.892),
            "kinship": (1.67, 1.426, 0.1285, -3.892, 3.892),
            "is_blend": (0.2, 0.4, -0.0494, 0, 1),
            "is_settled": (0.2, 0.4, -0.05359, 0, 1),
            "is_head": (0, 1, 6.202e-06, 0, 0),
            "is_head_spread": (0.2, 0.4, 0.1365, 0, 1),
            "is_spread_head": (0.2, 0.4, -0.06696, 0, 1),
            "degree": (0.04862, 0.6938, 0.2129, -2.374, 3.363),
            "log_classes": (1.418, 0.7619, -0.3294, 0.6931, 3.258),
        },
        "offset": 0.8444,
        "widths": ((0, 2.597),),
    },
    "single, vectors": {
        "signs": {
            "regained": (1.886, 1.728, 0.5617, -3.892, 3.892),
            "regained_share": (0.7774, 0.3091, 0.0651, 0, 1),
            "kin_agrees": (0.8521, 0.355, 0.2615, 0, 1),
            "smoothness": (2.79, 0.9767, 0.07477, -0.004132, 3.892),
            "balance": (0.8568, 0.2075, 0.1579, -0, 1),
            "stability": (1.091, 1.653, 0, -3.892, 3.892),
            "kinship": (1.67, 1.426, 0.08898, -3.892, 3.892),
            "partner_agrees": (0.7191, 0.4495, 0.2919, 0, 1),
            "partnership": (0.453, 1.327, 0.143, -3.892, 3.892),
            "is_blend": (0.2, 0.4, -0.03947, 0, 1),
            "is_settled": (0.2, 0.4, -0.03507, 0, 1),
            "is_head": (0, 1, -0.0001543, 0, 0),
            "is_head_spread": (0.2, 0.4, 0.06661, 0, 1),
            "is_spread_head": (0.2, 0.4, -0.1246, 0, 1),
            "degree": (0.04862, 0.6938, 0.2048, -2.374, 3.363),
            "log_classes": (1.418, 0.7619, -0.339, 0.6931, 3.258),
        },
        "offset": 0.8448,
        "widths": ((0, 2.645),),
    },
    "halves, graph": {
        "signs": {
            "regained": (2.421, 1.597, 0.6459, -3.892, 3.892),
            "regained_share": (0.8561, 0.2798, 0, 0, 1),
            "kin_agrees": (0.872, 0.3341, 0.269, 0, 1),
            "smoothness": (2.563, 1.029, 0.1449, -0.005399, 3.892),
            "balance": (0.8807, 0.1849, 0.2014, -0, 1),
            "stability": (1.824, 1.466, 0, -3.892, 3.892),
            "kinship": (1.876, 1.33, 0, -3.892, 3.892),
            "halves_agree": (0.6508, 0.4228, 0.1853, 0, 1),
            "unity": (0.1595, 2.379, 0, -3.892, 3.892),
            "held_out": (0.05106, 0.8963, 0.3806, -2.78, 2.819),
            "is_blend": (0.2, 0.4, -0.005323, 0, 1),
            "is_settled": (0.2, 0.4, -0.09369, 0, 1),
            "is_head": (0, 1, 6.978e-05, 0, 0),
            "is_head_spread": (0.2, 0.4, 0.08023, 0, 1),
            "is_spread_head": (0.2, 0.4, -0.1124, 0, 1),
            "degree": (0.03952, 0.6876, 0.3151, -2.764, 3.242),
            "log_classes": (1.449, 0.7636, -0.2771, 0.6931, 3.258),
            "log_labels": (1.529, 0.6586, -0.02259, 0.6931, 2.303),
        },
        "offset": 1.365,
        "widths": (
            (0.6931, 2.043),
            (1.609, 1.677),
            (2.303, 1.446),
        ),
    },
    "halves, vectors": {
        "signs": {
            "regained": (2.421, 1.597, 0.5363, -3.892, 3.892),
            "regained_share": (0.8561, 0.2798, 0, 0, 1),
            "kin_agrees": (0.872, 0.3341, 0.1339, 0, 1),
            "smoothness": (2.563, 1.029, 0.1202, -0.005399, 3.892),
            "balance": (0.8807, 0.1849, 0.1241, -0, 1),
            "stability": (1.824, 1.466, 0, -3.892, 3.892),
            "kinship": (1.876, 1.33, 0, -3.892, 3.892),
            "partner_agrees": (0.7846, 0.4111, 0.4735, 0, 1),
            "partnership": (1.043, 1.315, 0.1597, -3.892, 3.892),
            "halves_agree": (0.6508, 0.4228, 0.1485, 0, 1),
            "unity": (0.1595, 2.379, 0, -3.892, 3.892),
            "held_out": (0.05106, 0.8963, 0.289, -2.78, 2.819),
            "is_blend": (0.2, 0.4, -0.02143, 0, 1),
            "is_settled": (0.2, 0.4, -0.0714, 0, 1),
            "is_head": (0, 1, 0.0001009, 0, 0),
            "is_head_spread": (0.2, 0.4, 0.01887, 0, 1),
            "is_spread_head": (0.2, 0.4, -0.1514, 0, 1),
            "degree": (0.03952, 0.6876, 0.2995, -2.764, 3.242),
            "log_classes": (1.449, 0.7636, -0.2615, 0.6931, 3.258),
            "log_labels": (1.529, 0.6586, -0.02431, 0.6931, 2.303),
        },
        "offset": 1.397,
        "widths": (
            (0.6931, 1.985),
            (1.609, 1.499),
            (2.303, 1.274),
        ),
    },
}
