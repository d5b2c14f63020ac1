from __future__ import annotations

from handful.cli.console import (
    Abstain,
    BatchSize,
    Crop,
    Encoder,
    Epochs,
    Flip,
    Json,
    LabelColumn,
    Labels,
    LearningRate,
    Method,
    Modality,
    Neighbors,
    Out,
    Precision,
    Priors,
    Rule,
    Seed,
    Size,
    Strict,
    given,
    parse_priors,
    put,
    say,
    watch,
)


def label(
    source: str,
    out: Out,
    labels: Labels = None,
    modality: Modality = None,
    method: Method = "auto",
    encoder: Encoder = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    precision: Precision = "auto",
    crop: Crop = None,
    flip: Flip = None,
    rule: Rule = "auto",
    priors: Priors = None,
    n_neighbors: Neighbors = 10,
    abstain_below: Abstain = None,
    size: Size = None,
    label_column: LabelColumn = None,
    seed: Seed = 0,
    strict: Strict = False,
    retrain: bool = False,
    json: Json = False,
) -> None:
    """Label everything in SOURCE from a handful of labels: the whole path, and a report."""
    import handful

    run = handful.label(
        source,
        labels,
        out=out,
        modality=modality,
        method=method,
        encoder=encoder,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        precision=precision,
        views=given(crop=crop, flip=flip),
        rule=rule,
        priors=parse_priors(priors),
        n_neighbors=n_neighbors,
        abstain_below=abstain_below,
        seed=seed,
        retrain=retrain,
        strict=strict,
        watch=watch(),
        **given(size=size, label_column=label_column),
    )
    page = handful.report(run)
    summary = run.summary()
    say(summary.in_words())
    put(summary.as_dict() if json else f"{run.folder / 'labels.csv'}\n{page}")
