"""Chooses the next trials of a sweep and the trials to prune, with Optuna.

The Optuna study is rebuilt from the trials' rows each time, so it cannot be lost or contradict them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import optuna
from numpy.random import SeedSequence
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from tenfold.worker.sweeps.parameters import SweepParameters, is_integer
from tenfold.worker.sweeps.search_space import Range

# No trial is pruned before this many trials have ended, nor in its first epochs.
PRUNING_STARTUP_TRIALS = 3
PRUNING_WARMUP_EPOCHS = 2

optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass(frozen=True)
class Trial:
    """One training of a sweep: its hyperparameters, and the objective after each epoch so far.

    `state` is Optuna's: RUNNING, COMPLETE, PRUNED or FAIL.
    """

    number: int
    values: dict[str, Any]
    objectives: tuple[float, ...]
    state: TrialState


def suggest(parameters: SweepParameters, trials: Sequence[Trial], number: int) -> dict[str, Any]:
    """The hyperparameters of trial `number`, counted from 0. The same earlier trials give the same values."""
    if parameters.method == "grid":
        axes = [axis for axis in parameters.space.values() if not isinstance(axis, Range)]
        combination = list(product(*axes))[number]
        return dict(zip(parameters.space, combination, strict=True))
    seed = int(SeedSequence((parameters.seed, number)).generate_state(1)[0])
    sampler = (
        optuna.samplers.RandomSampler(seed=seed)
        if parameters.method == "random"
        else optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    )
    return _study(parameters, trials, sampler=sampler).ask(_distributions(parameters)).params


def should_prune(parameters: SweepParameters, others: Sequence[Trial], trial: Trial) -> bool:
    """Whether to prune a running trial: it is worse than the median of the others at its epoch."""
    pruner = optuna.pruners.MedianPruner(PRUNING_STARTUP_TRIALS, PRUNING_WARMUP_EPOCHS)
    study = _study(parameters, [*others, trial], pruner=pruner)
    return pruner.prune(study, study.trials[-1])


def _study(parameters: SweepParameters, trials: Sequence[Trial], **parts: Any) -> optuna.Study:
    highest_first = parameters.objective == "val_accuracy"
    direction = StudyDirection.MAXIMIZE if highest_first else StudyDirection.MINIMIZE
    study = optuna.create_study(direction=direction, **parts)
    distributions = _distributions(parameters)
    for trial in trials:
        study.add_trial(_frozen(trial, distributions))
    return study


def _frozen(trial: Trial, distributions: dict[str, BaseDistribution]) -> FrozenTrial:
    complete = trial.state is TrialState.COMPLETE
    return create_trial(
        state=trial.state,
        value=trial.objectives[-1] if complete else None,
        params=trial.values,
        distributions=distributions,
        intermediate_values=dict(enumerate(trial.objectives, start=1)),
    )


def _distributions(parameters: SweepParameters) -> dict[str, BaseDistribution]:
    return {name: _distribution(name, axis) for name, axis in parameters.space.items()}


def _distribution(name: str, axis: Range | tuple[str, ...]) -> BaseDistribution:
    if not isinstance(axis, Range):
        return CategoricalDistribution(axis)
    if is_integer(name):
        return IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return FloatDistribution(axis.low, axis.high, log=axis.log)
