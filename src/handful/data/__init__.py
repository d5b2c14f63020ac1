"""What was read: ids, samples and labels. Knows files and arrays; knows no kind of data, no torch."""

from handful.data.dataset import Dataset, Decoded, Listed, Refusal, Samples
from handful.data.label_files import check_something_to_label, read_labels
from handful.data.labels import Labels, encode_labels, is_unlabelled

__all__ = [
    "Dataset",
    "Decoded",
    "Labels",
    "Listed",
    "Refusal",
    "Samples",
    "check_something_to_label",
    "encode_labels",
    "is_unlabelled",
    "read_labels",
]
