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
            "regained": (1.171, 1.764, 0.7648, -3.892, 3.892),
            "regained_share": (0.6748, 0.3506, 0.2281, 0, 1),
            "degree": (0.04605, 0.5076, 0.09068, -2.266, 3.557),
            "stability": (0.4252, 1.524, -0.1979, -3.892, 3.892),
            "smoothness": (1.975, 1.149, 0.1997, -1.82, 3.892),
            "balance": (0.829, 0.2162, 0.287, -0, 1),
            "is_head": (0, 1, 0, 0, 0),
            "is_head_spread": (0.1667, 0.3727, 0.1021, 0, 1),
            "is_spread_head": (0.1667, 0.3727, -0.01082, 0, 1),
        },
        "offset": 0.2076,
        "widths": ((0, 2.626),),
    },
    "single, vectors": {
        "signs": {
            "regained": (1.171, 1.764, 0.6344, -3.892, 3.892),
            "regained_share": (0.6748, 0.3506, 0.2198, 0, 1),
            "degree": (0.04605, 0.5076, 0.1003, -2.266, 3.557),
            "stability": (0.4252, 1.524, -0.1807, -3.892, 3.892),
            "smoothness": (1.975, 1.149, 0.1767, -1.82, 3.892),
            "balance": (0.829, 0.2162, 0.2148, -0, 1),
            "is_head": (0, 1, 0, 0, 0),
            "is_head_spread": (0.1667, 0.3727, 0.07292, 0, 1),
            "is_spread_head": (0.1667, 0.3727, -0.04506, 0, 1),
            "partner_agrees": (0.6854, 0.4643, 0.319, 0, 1),
            "partnership": (0.4055, 1.178, 0.112, -3.892, 3.892),
        },
        "offset": 0.2096,
        "widths": ((0, 2.632),),
    },
    "halves, graph": {
        "signs": {
            "regained": (1.739, 1.778, 0.9036, -3.892, 3.892),
            "regained_share": (0.7653, 0.3365, 0.05136, 0, 1),
            "degree": (0.05111, 0.5057, 0.2201, -2.323, 2.937),
            "stability": (1.131, 1.391, -0.3454, -3.892, 3.892),
            "smoothness": (1.661, 1.15, 0.2767, -2.313, 3.892),
            "balance": (0.8774, 0.1859, 0.259, -0, 1),
            "is_head": (0, 1, 0, 0, 0),
            "is_head_spread": (0.1667, 0.3727, 0.05445, 0, 1),
            "is_spread_head": (0.1667, 0.3727, -0.01167, 0, 1),
            "halves_agree": (0.5706, 0.495, 0.1837, 0, 1),
            "unity": (-0.3089, 2.227, 0.303, -3.892, 3.892),
            "held_out_excess": (0.003509, 0.6984, 0.1788, -5.189, 2.471),
            "log_labels": (1.533, 0.6588, 0.1451, 0.6931, 2.303),
        },
        "offset": 0.7138,
        "widths": (
            (0.6931, 2.391),
            (1.609, 1.477),
            (2.303, 1.291),
        ),
    },
    "halves, vectors": {
        "signs": {
            "regained": (1.739, 1.778, 0.7303, -3.892, 3.892),
            "regained_share": (0.7653, 0.3365, 0.0429, 0, 1),
            "degree": (0.05111, 0.5057, 0.2209, -2.323, 2.937),
            "stability": (1.131, 1.391, -0.3072, -3.892, 3.892),
            "smoothness": (1.661, 1.15, 0.1975, -2.313, 3.892),
            "balance": (0.8774, 0.1859, 0.1068, -0, 1),
            "is_head": (0, 1, 0, 0, 0),
            "is_head_spread": (0.1667, 0.3727, 0.01185, 0, 1),
            "is_spread_head": (0.1667, 0.3727, -0.05664, 0, 1),
            "partner_agrees": (0.7118, 0.4529, 0.5078, 0, 1),
            "partnership": (0.6753, 1.246, 0.2673, -3.892, 3.892),
            "halves_agree": (0.5706, 0.495, 0.1255, 0, 1),
            "unity": (-0.3089, 2.227, 0.1862, -3.892, 3.892),
            "held_out_excess": (0.003509, 0.6984, 0.1597, -5.189, 2.471),
            "log_labels": (1.533, 0.6588, 0.1569, 0.6931, 2.303),
        },
        "offset": 0.7406,
        "widths": (
            (0.6931, 2.09),
            (1.609, 1.356),
            (2.303, 1.206),
        ),
    },
}
