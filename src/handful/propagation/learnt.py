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
            "regained": (1.694, 1.75, 0.6642, -3.892, 3.892),
            "regained_share": (0.7546, 0.3148, 0.02566, 0, 1),
            "kin_agrees": (0.8413, 0.3654, 0.3583, 0, 1),
            "smoothness": (2.671, 0.9864, 0, 0.153, 3.892),
            "balance": (0.8462, 0.2186, 0.2275, -0, 1),
            "stability": (0.9263, 1.625, 0.06669, -3.892, 3.892),
            "kinship": (1.578, 1.408, 0.1022, -3.892, 3.892),
            "is_blend": (0.2, 0.4, -0.04095, 0, 1),
            "is_settled": (0.2, 0.4, -0.06758, 0, 1),
            "is_head": (0, 1, -4.878e-05, 0, 0),
            "is_head_spread": (0.2, 0.4, 0.1276, 0, 1),
            "is_spread_head": (0.2, 0.4, -0.05872, 0, 1),
            "degree": (0.03338, 0.7111, 0.2492, -2.302, 3.363),
            "log_classes": (1.48, 0.766, -0.3733, 0.6931, 3.258),
        },
        "offset": 0.7341,
        "widths": ((0, 2.395),),
    },
    "single, vectors": {
        "signs": {
            "regained": (1.694, 1.75, 0.5978, -3.892, 3.892),
            "regained_share": (0.7546, 0.3148, 0.03535, 0, 1),
            "kin_agrees": (0.8413, 0.3654, 0.2633, 0, 1),
            "smoothness": (2.671, 0.9864, 0, 0.153, 3.892),
            "balance": (0.8462, 0.2186, 0.1653, -0, 1),
            "stability": (0.9263, 1.625, 0.02846, -3.892, 3.892),
            "kinship": (1.578, 1.408, 0.06653, -3.892, 3.892),
            "partner_agrees": (0.7087, 0.4544, 0.268, 0, 1),
            "partnership": (0.3797, 1.318, 0.1427, -3.892, 3.892),
            "is_blend": (0.2, 0.4, -0.0319, 0, 1),
            "is_settled": (0.2, 0.4, -0.03955, 0, 1),
            "is_head": (0, 1, 2.351e-05, 0, 0),
            "is_head_spread": (0.2, 0.4, 0.05432, 0, 1),
            "is_spread_head": (0.2, 0.4, -0.1134, 0, 1),
            "degree": (0.03338, 0.7111, 0.2376, -2.302, 3.363),
            "log_classes": (1.48, 0.766, -0.3837, 0.6931, 3.258),
        },
        "offset": 0.7426,
        "widths": ((0, 2.433),),
    },
    "halves, graph": {
        "signs": {
            "regained": (2.371, 1.624, 0.6746, -3.892, 3.892),
            "regained_share": (0.847, 0.2875, 0, 0, 1),
            "kin_agrees": (0.8651, 0.3416, 0.2976, 0, 1),
            "smoothness": (2.425, 1.039, 0.02851, 0.0522, 3.892),
            "balance": (0.8774, 0.1959, 0.1309, -0, 1),
            "stability": (1.774, 1.485, 0, -3.892, 3.892),
            "kinship": (1.787, 1.284, 0, -3.892, 3.892),
            "halves_agree": (0.6519, 0.4261, 0.1536, 0, 1),
            "unity": (0.2087, 2.278, 0, -3.892, 3.892),
            "held_out": (0.02575, 0.8759, 0.5072, -2.595, 2.819),
            "is_blend": (0.2, 0.4, 0.002946, 0, 1),
            "is_settled": (0.2, 0.4, -0.07391, 0, 1),
            "is_head": (0, 1, -1.319e-05, 0, 0),
            "is_head_spread": (0.2, 0.4, 0.05658, 0, 1),
            "is_spread_head": (0.2, 0.4, -0.1032, 0, 1),
            "degree": (0.04184, 0.7087, 0.3528, -2.764, 3.242),
            "log_classes": (1.492, 0.7618, -0.2781, 0.6931, 3.258),
            "log_labels": (1.53, 0.6596, -0.09122, 0.6931, 2.303),
        },
        "offset": 1.258,
        "widths": (
            (0.6931, 2.038),
            (1.609, 1.793),
            (2.303, 1.272),
        ),
    },
    "halves, vectors": {
        "signs": {
            "regained": (2.371, 1.624, 0.573, -3.892, 3.892),
            "regained_share": (0.847, 0.2875, 0, 0, 1),
            "kin_agrees": (0.8651, 0.3416, 0.1664, 0, 1),
            "smoothness": (2.425, 1.039, 0.03214, 0.0522, 3.892),
            "balance": (0.8774, 0.1959, 0.09121, -0, 1),
            "stability": (1.774, 1.485, 0, -3.892, 3.892),
            "kinship": (1.787, 1.284, 0, -3.892, 3.892),
            "partner_agrees": (0.7735, 0.4186, 0.4578, 0, 1),
            "partnership": (0.9894, 1.259, 0.08573, -3.892, 3.892),
            "halves_agree": (0.6519, 0.4261, 0.121, 0, 1),
            "unity": (0.2087, 2.278, 0, -3.892, 3.892),
            "held_out": (0.02575, 0.8759, 0.4373, -2.595, 2.819),
            "is_blend": (0.2, 0.4, -0.01389, 0, 1),
            "is_settled": (0.2, 0.4, -0.06208, 0, 1),
            "is_head": (0, 1, -1.435e-06, 0, 0),
            "is_head_spread": (0.2, 0.4, 0.008573, 0, 1),
            "is_spread_head": (0.2, 0.4, -0.1302, 0, 1),
            "degree": (0.04184, 0.7087, 0.3415, -2.764, 3.242),
            "log_classes": (1.492, 0.7618, -0.2538, 0.6931, 3.258),
            "log_labels": (1.53, 0.6596, -0.08287, 0.6931, 2.303),
        },
        "offset": 1.274,
        "widths": (
            (0.6931, 1.992),
            (1.609, 1.555),
            (2.303, 1.136),
        ),
    },
}
