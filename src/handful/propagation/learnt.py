"""What each sign of `evidence` is worth. Written by benchmarks/fit_confidence.py, not by hand.

A sign has its centre, scale and weight, and the range it was taught on. `widths` holds, by the logarithm of
the labels a class, how far the accuracy of nine in ten problems from left-out data sets lay from the stated
one, in log odds.

Taught on: acsf1, arrowhead, basicmotions, breastcancer, cl_eff, cl_hog, cl_pca, dna, esc10, fsdd, glass, gunpoint,
housevotes84, ionosphere, iris, italypowerdemand, japanesevowels, letterrecognition, ng20_tfidf, osuleaf,
pimaindiansdiabetes, r52_tfidf, r8_minilm, r8_tfidf, satellite, shuttle, sonar, soybean, vehicle, vowel, wine.
"""

from typing import Any

MODELS: dict[str, dict[str, Any]] = {
    "single, graph": {
        "signs": {
            "regained": (1.329, 1.784, 0.5489, -3.892, 3.892),
            "regained_share": (0.6989, 0.3454, 0.1011, 0, 1),
            "kin_agrees": (0.8102, 0.3921, 0.3328, 0, 1),
            "smoothness": (2.242, 1.24, 0.249, -2.006, 3.892),
            "balance": (0.8274, 0.2188, 0.2047, -0, 1),
            "stability": (0.5909, 1.681, 0, -3.892, 3.892),
            "kinship": (1.43, 1.455, 0.09726, -3.892, 3.892),
            "is_settled": (0.125, 0.3307, -0.05517, 0, 1),
            "is_head": (0.125, 0.3307, 0.1139, 0, 1),
            "is_head_spread": (0.125, 0.3307, 0.07282, 0, 1),
            "is_spread_head": (0.125, 0.3307, -0.1138, 0, 1),
            "degree": (0.03069, 0.6512, 0.2297, -2.815, 3.302),
            "log_classes": (1.516, 0.7605, -0.2347, 0.6931, 3.258),
        },
        "offset": 0.3367,
        "widths": ((0, 3.036),),
    },
    "single, vectors": {
        "signs": {
            "regained": (1.329, 1.784, 0.4839, -3.892, 3.892),
            "regained_share": (0.6989, 0.3454, 0.1047, 0, 1),
            "kin_agrees": (0.8102, 0.3921, 0.2338, 0, 1),
            "smoothness": (2.242, 1.24, 0.2005, -2.006, 3.892),
            "balance": (0.8274, 0.2188, 0.1182, -0, 1),
            "stability": (0.5909, 1.681, 0, -3.892, 3.892),
            "kinship": (1.43, 1.455, 0, -3.892, 3.892),
            "partner_agrees": (0.6962, 0.4599, 0.2606, 0, 1),
            "partnership": (0.4557, 1.341, 0.3071, -3.892, 3.892),
            "is_settled": (0.125, 0.3307, -0.04576, 0, 1),
            "is_head": (0.125, 0.3307, 0.06299, 0, 1),
            "is_head_spread": (0.125, 0.3307, 0.02814, 0, 1),
            "is_spread_head": (0.125, 0.3307, -0.1644, 0, 1),
            "degree": (0.03069, 0.6512, 0.2212, -2.815, 3.302),
            "log_classes": (1.516, 0.7605, -0.2327, 0.6931, 3.258),
        },
        "offset": 0.3526,
        "widths": ((0, 2.792),),
    },
    "halves, graph": {
        "signs": {
            "regained": (1.891, 1.741, 0.5718, -3.892, 3.892),
            "regained_share": (0.7851, 0.327, 0, 0, 1),
            "kin_agrees": (0.817, 0.3867, 0.2648, 0, 1),
            "smoothness": (1.948, 1.223, 0.1696, -1.834, 3.892),
            "balance": (0.8682, 0.196, 0.1719, -0, 1),
            "stability": (1.256, 1.447, 0, -3.892, 3.892),
            "kinship": (1.456, 1.395, 0, -3.892, 3.892),
            "halves_agree": (0.586, 0.4352, 0.234, 0, 1),
            "unity": (-0.3001, 2.206, 0, -3.892, 3.892),
            "held_out": (-0.1745, 0.8396, 0.3483, -2.67, 2.142),
            "is_settled": (0.125, 0.3307, -0.08207, 0, 1),
            "is_head": (0.125, 0.3307, 0.1024, 0, 1),
            "is_head_spread": (0.125, 0.3307, 0.03717, 0, 1),
            "is_spread_head": (0.125, 0.3307, -0.1226, 0, 1),
            "degree": (0.03224, 0.6527, 0.3365, -2.842, 3.465),
            "log_classes": (1.517, 0.7725, -0.2051, 0.6931, 3.258),
            "log_labels": (1.532, 0.6591, 0.1175, 0.6931, 2.303),
        },
        "offset": 0.8151,
        "widths": (
            (0.6931, 2.618),
            (1.609, 1.613),
            (2.303, 1.475),
        ),
    },
    "halves, vectors": {
        "signs": {
            "regained": (1.891, 1.741, 0.4717, -3.892, 3.892),
            "regained_share": (0.7851, 0.327, 0, 0, 1),
            "kin_agrees": (0.817, 0.3867, 0.103, 0, 1),
            "smoothness": (1.948, 1.223, 0.1615, -1.834, 3.892),
            "balance": (0.8682, 0.196, 0.1368, -0, 1),
            "stability": (1.256, 1.447, 0, -3.892, 3.892),
            "kinship": (1.456, 1.395, 0, -3.892, 3.892),
            "partner_agrees": (0.7219, 0.4481, 0.553, 0, 1),
            "partnership": (0.6575, 1.334, 0.07602, -3.892, 3.892),
            "halves_agree": (0.586, 0.4352, 0.1814, 0, 1),
            "unity": (-0.3001, 2.206, 0, -3.892, 3.892),
            "held_out": (-0.1745, 0.8396, 0.2872, -2.67, 2.142),
            "is_settled": (0.125, 0.3307, -0.06387, 0, 1),
            "is_head": (0.125, 0.3307, 0.06809, 0, 1),
            "is_head_spread": (0.125, 0.3307, 0.004165, 0, 1),
            "is_spread_head": (0.125, 0.3307, -0.1369, 0, 1),
            "degree": (0.03224, 0.6527, 0.3224, -2.842, 3.465),
            "log_classes": (1.517, 0.7725, -0.1846, 0.6931, 3.258),
            "log_labels": (1.532, 0.6591, 0.1361, 0.6931, 2.303),
        },
        "offset": 0.8241,
        "widths": (
            (0.6931, 2.785),
            (1.609, 1.554),
            (2.303, 1.359),
        ),
    },
}
