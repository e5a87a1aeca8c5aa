"""Writes tests/golden/segment.json: masks, and the intersection over union that torchmetrics computes of them.

From the repository's root, with the environment of tools/goldens.py and `pip install torchmetrics`:

    .tools/torch/bin/python tools/segment_golden.py

`JaccardIndex` per class over all pixels, with pixels of class 255 ignored; the mean leaves the first class, the background,
and classes that nowhere appear out.
"""

import json
from pathlib import Path

import torch
import torchmetrics
from torchmetrics.classification import MulticlassConfusionMatrix, MulticlassJaccardIndex

OUT = Path(__file__).parent.parent / "tests" / "golden" / "segment.json"
CLASSES = 6


def case(name, seed, agreement, absent, ignored):
    torch.manual_seed(seed)
    truth = torch.randint(0, CLASSES - len(absent), (12, 20))
    answers = torch.where(torch.rand(12, 20) < agreement, truth, torch.randint(0, CLASSES - len(absent), (12, 20)))
    if ignored:
        truth[torch.rand(12, 20) < 0.2] = 255
    settings = dict(num_classes=CLASSES, ignore_index=255)
    confusion = MulticlassConfusionMatrix(**settings)(answers, truth)
    each = MulticlassJaccardIndex(average="none", **settings)(answers, truth).double().tolist()
    there = (confusion.sum(0) + confusion.sum(1) > 0).tolist()
    counted = [each[c] for c in range(1, CLASSES) if there[c]]
    return {
        "name": name,
        "classes": CLASSES,
        "truth": truth.flatten().tolist(),
        "answers": answers.flatten().tolist(),
        "confusion": confusion.flatten().tolist(),
        "iou": [iou if present else None for iou, present in zip(each, there)],
        "mean": sum(counted) / len(counted),
    }


cases = [
    case("mostly right", 1, 0.8, [], False),
    case("by chance", 2, 0.0, [], False),
    case("ignored pixels", 3, 0.7, [], True),
    case("two classes nowhere", 4, 0.6, [4, 5], True),
]
OUT.write_text(json.dumps({"torchmetrics": torchmetrics.__version__, "cases": cases}) + "\n")
