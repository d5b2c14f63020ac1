from __future__ import annotations

from handful.cli.console import (
    BatchSize,
    Columns,
    Crop,
    Encoder,
    Epochs,
    Flip,
    LearningRate,
    Method,
    Modality,
    Out,
    Patience,
    Pooling,
    Precision,
    Seed,
    Size,
    Strict,
    Stride,
    Trackers,
    Window,
    given,
    parse_columns,
    put,
    say,
    watch,
)


def pretrain(
    source: str,
    out: Out,
    modality: Modality = None,
    method: Method = "auto",
    encoder: Encoder = None,
    pooling: Pooling = "auto",
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    precision: Precision = "auto",
    patience: Patience = None,
    tracker: Trackers = None,
    crop: Crop = None,
    flip: Flip = None,
    size: Size = None,
    window: Window = None,
    stride: Stride = None,
    columns: Columns = None,
    seed: Seed = 0,
    strict: Strict = False,
    retrain: bool = False,
) -> None:
    """Learn a representation of SOURCE without labels; writes encoder/ and health.json.

    Started by torchrun or accelerate launch, several processes share the training.
    """
    import handful
    from handful.modalities.encoder_reading import settle_reading
    from handful.run.crew import help_training, helps
    from handful.run.path import started
    from handful.run.steps import pretrain_step

    found = given(size=size, window=window, stride=stride, columns=parse_columns(columns), modality=modality)
    reading = {**found, "strict": strict}
    if encoder is not None:
        _, reading = settle_reading(source, modality, encoder, reading)
    data = handful.read(source, **reading)
    options = {
        "method": method,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "precision": precision,
        "views": given(crop=crop, flip=flip),
        "seed": seed,
        "encoder": encoder,
        **({} if pooling == "auto" else {"pooling": pooling}),
        **given(patience=patience),
    }
    if helps():
        help_training(data, out, options)
        return
    with started(data, out, source=source, reading=reading) as run:
        trained = pretrain_step(run, data, options, watch=watch(tracker), retrain=retrain)
    say(trained.record["verdict"])
    put(run.address("encoder"))
