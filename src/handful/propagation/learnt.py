"""What each sign of `evidence` is worth. Written by benchmarks/fit_confidence.py, not by hand.

A sign has its centre, scale and weight, and the range it was taught on. `widths` holds, by the logarithm of the
labels a class, how far the accuracy of nine in ten left-out data sets lay from the stated one, in log odds.

Taught on: acsf1, ag_tfidf, arrowhead, basicmotions, breastcancer, cancer, cl_hog, cl_pca, digits, dna, esc10,
fm_hog, fm_pca, fsdd, glass, gunpoint, housevotes84, ionosphere, iris, italypowerdemand, japanesevowels,
letterrecognition, ng20_tfidf, pimaindiansdiabetes, r8_tfidf, shuttle.
"""

from typing import Any

MODELS: dict[str, dict[str, Any]] = {
    "single, graph": {
        "signs": {
            "regained": (1.159, 1.691, 0.9393, -3.892, 3.892),
            "regained_share": (0.6766, 0.3273, 0.2921, 0, 1),
            "stability": (0.4428, 1.43, -0.421, -3.892, 3.892),
            "smoothness": (2.364, 0.9807, 0.2483, -0.7285, 3.892),
            "balance": (0.8647, 0.1955, 0.249, -7.214e-13, 1),
            "log_classes": (1.635, 0.7792, -0.01983, 0.6931, 3.258),
            "is_head": (0, 1, 0, 0, 0),
            "is_head_spread": (0.3333, 0.4714, -0.00345, 0, 1),
            "is_spread_head": (0.3333, 0.4714, -0.03681, 0, 1),
        },
        "offset": 0.3206,
        "widths": ((0, 2.341),),
    },
    "single, vectors": {
        "signs": {
            "regained": (1.159, 1.691, 0.7702, -3.892, 3.892),
            "regained_share": (0.6766, 0.3273, 0.2663, 0, 1),
            "stability": (0.4428, 1.43, -0.3958, -3.892, 3.892),
            "smoothness": (2.364, 0.9807, 0.2295, -0.7285, 3.892),
            "balance": (0.8647, 0.1955, 0.1673, -7.214e-13, 1),
            "log_classes": (1.635, 0.7792, -0.04278, 0.6931, 3.258),
            "is_head": (0, 1, 0, 0, 0),
            "is_head_spread": (0.3333, 0.4714, -0.05449, 0, 1),
            "is_spread_head": (0.3333, 0.4714, -0.1513, 0, 1),
            "partner_agrees": (0.7212, 0.4484, 0.381, 0, 1),
            "partnership": (0.6868, 1.225, 0.1235, -3.892, 3.892),
        },
        "offset": 0.3245,
        "widths": ((0, 2.082),),
    },
    "halves, graph": {
        "signs": {
            "regained": (1.872, 1.651, 0.8636, -3.892, 3.892),
            "regained_share": (0.7936, 0.3018, 0.06424, 0, 1),
            "stability": (1.296, 1.269, -0.3066, -3.892, 3.892),
            "smoothness": (2.223, 1.023, 0.2827, -0.8938, 3.892),
            "balance": (0.8865, 0.183, 0.2632, -7.214e-13, 1),
            "log_classes": (1.635, 0.7792, -0.05784, 0.6931, 3.258),
            "is_head": (0, 1, 0, 0, 0),
            "is_head_spread": (0.3333, 0.4714, -0.006473, 0, 1),
            "is_spread_head": (0.3333, 0.4714, -0.06018, 0, 1),
            "halves_agree": (0.6131, 0.487, 0.2001, 0, 1),
            "unity": (0.02082, 2.087, 0.3147, -3.892, 3.892),
            "held_out_excess": (-0.1265, 0.7913, 0.1884, -5.189, 1.898),
            "log_labels": (1.535, 0.6592, 0.0677, 0.6931, 2.303),
        },
        "offset": 0.8822,
        "widths": (
            (0.6931, 1.86),
            (1.609, 1.43),
            (2.303, 1.122),
        ),
    },
    "halves, vectors": {
        "signs": {
            "regained": (1.872, 1.651, 0.6695, -3.892, 3.892),
            "regained_share": (0.7936, 0.3018, 0.02964, 0, 1),
            "stability": (1.296, 1.269, -0.257, -3.892, 3.892),
            "smoothness": (2.223, 1.023, 0.1918, -0.8938, 3.892),
            "balance": (0.8865, 0.183, 0.1785, -7.214e-13, 1),
            "log_classes": (1.635, 0.7792, -0.08142, 0.6931, 3.258),
            "is_head": (0, 1, 0, 0, 0),
            "is_head_spread": (0.3333, 0.4714, -0.05537, 0, 1),
            "is_spread_head": (0.3333, 0.4714, -0.1736, 0, 1),
            "partner_agrees": (0.7574, 0.4287, 0.5273, 0, 1),
            "partnership": (0.948, 1.082, 0.2282, -2.18, 3.892),
            "halves_agree": (0.6131, 0.487, 0.1617, 0, 1),
            "unity": (0.02082, 2.087, 0.226, -3.892, 3.892),
            "held_out_excess": (-0.1265, 0.7913, 0.208, -5.189, 1.898),
            "log_labels": (1.535, 0.6592, 0.0844, 0.6931, 2.303),
        },
        "offset": 0.9069,
        "widths": (
            (0.6931, 2.049),
            (1.609, 1.251),
            (2.303, 1.194),
        ),
    },
}
