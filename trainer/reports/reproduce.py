"""Trains the recipes with several seeds, and compares the results with the published figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.architecture.recipes import Recipe
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.evaluation.accuracy import evaluate
from tenfold.trainer.reports.plots import plot_runs
from tenfold.trainer.training.checkpoints import EpochResult
from tenfold.trainer.training.loop import Progress, train

COLUMNS = (
    "recipe",
    "parameters",
    "published",
    "test accuracy",
    "train accuracy",
    "test loss",
    "train loss",
    "seconds per run",
)


@dataclass(frozen=True)
class Run:
    """One training of a recipe. Accuracies are in 0–1, losses in nats; `seconds` excludes the final evaluation."""

    seed: int
    history: tuple[EpochResult, ...]
    test_accuracy: float
    test_loss: float

    @property
    def seconds(self) -> float:
        return sum(result.seconds for result in self.history)


@dataclass(frozen=True)
class Reproduction:
    """A recipe's runs, one for each seed."""

    recipe: Recipe
    runs: tuple[Run, ...]

    def row(self) -> dict[str, Any]:
        """Means over the seeds and, for accuracies, their sample standard deviation (0 for one seed)."""
        test = [run.test_accuracy for run in self.runs]
        train = [run.history[-1].accuracy for run in self.runs]
        return {
            "recipe": self.recipe.name,
            "parameters": self.recipe.parameters,
            "published": dict(self.recipe.published),
            "seeds": len(self.runs),
            "test_accuracy_mean": mean(test),
            "test_accuracy_sd": _spread(test),
            "train_accuracy_mean": mean(train),
            "train_accuracy_sd": _spread(train),
            "test_loss_mean": mean(run.test_loss for run in self.runs),
            "train_loss_mean": mean(run.history[-1].loss for run in self.runs),
            "seconds_mean": mean(run.seconds for run in self.runs),
        }


def reproduce(
    recipe: Recipe, seeds: Sequence[int], dataset: Dataset, on_epoch: Callable[[], None] = lambda: None
) -> Reproduction:
    """Train a recipe unchanged, once for each seed.

    Args:
        on_epoch: called after each epoch of each run.
    """
    return Reproduction(recipe, tuple(_run(recipe, seed, dataset, on_epoch) for seed in seeds))


def write_report(reproductions: Sequence[Reproduction], directory: Path) -> Path:
    """Write `report.md` and its plots into a directory, created if missing; return the page's path."""
    directory.mkdir(parents=True, exist_ok=True)
    lines = [
        "# Reproduction of the recipes",
        "",
        *markdown_table([reproduction.row() for reproduction in reproductions]),
        "",
    ]
    for reproduction in reproductions:
        name = reproduction.recipe.name
        plot_runs([run.history for run in reproduction.runs], directory / f"{name}.png")
        seeds = ", ".join(f"{run.test_accuracy:.2%}" for run in reproduction.runs)
        lines += [
            f"## {name}",
            "",
            f"Test accuracy by seed: {seeds}",
            "",
            f"![Learning curves of {name}]({name}.png)",
            "",
        ]
    page = directory / "report.md"
    page.write_text("\n".join(lines), encoding="utf-8")
    return page


def markdown_table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Rows of `Reproduction.row` as the lines of a Markdown table."""
    cells = [_cells(row) for row in rows]
    return [f"| {' | '.join(line)} |" for line in (COLUMNS, ["---"] * len(COLUMNS), *cells)]


def _run(recipe: Recipe, seed: int, dataset: Dataset, on_epoch: Callable[[], None]) -> Run:
    epochs_seen = 0

    def note(progress: Progress) -> None:
        nonlocal epochs_seen
        if len(progress.history) > epochs_seen:
            epochs_seen = len(progress.history)
            on_epoch()

    trained = train(TrainingParameters(recipe=recipe.name, seed=seed), dataset, on_progress=note)
    evaluation = evaluate(trained.model, dataset.test_images, dataset.test_labels, dataset.input)
    return Run(seed, trained.history, evaluation.accuracy, evaluation.loss)


def _spread(values: Sequence[float]) -> float:
    return stdev(values) if len(values) > 1 else 0.0


def _cells(row: dict[str, Any]) -> list[str]:
    published = ", ".join(
        f"{name.replace('_', ' ')} {value:.2%}" if "accuracy" in name else f"{name.replace('_', ' ')} {value}"
        for name, value in row["published"].items()
    )
    return [
        row["recipe"],
        f"{row['parameters']:,}",
        published or "–",
        f"{row['test_accuracy_mean']:.2%} ± {row['test_accuracy_sd']:.2%}",
        f"{row['train_accuracy_mean']:.2%} ± {row['train_accuracy_sd']:.2%}",
        f"{row['test_loss_mean']:.4f}",
        f"{row['train_loss_mean']:.4f}",
        f"{row['seconds_mean']:.1f}",
    ]
