"""What each route requires of the caller. A route that is missing here is for administrators only, and fails a test."""

from enum import Enum

from tenfold.worker.db.scopes import Scope


class Permission(Enum):
    """`PUBLIC`: everybody. `ACCOUNT`: signed-in users, for their own account. `OWNER`: the owner of the job, model or
    data set in the address, and administrators."""

    PUBLIC = "public"
    READ = Scope.READ
    SUBMIT = Scope.SUBMIT
    OWNER = "owner"
    ADMIN = Scope.ADMIN
    ACCOUNT = "account"

    @property
    def scope(self) -> Scope:
        """The minimum scope."""
        return _MIN_SCOPES[self]


_MIN_SCOPES = {
    Permission.PUBLIC: Scope.READ,
    Permission.READ: Scope.READ,
    Permission.SUBMIT: Scope.SUBMIT,
    Permission.OWNER: Scope.SUBMIT,
    Permission.ADMIN: Scope.ADMIN,
    Permission.ACCOUNT: Scope.READ,
}

_ENDPOINTS: dict[Permission, tuple[str, ...]] = {
    Permission.PUBLIC: (
        "static",
        "bootstrap.static",
        "api.uploads.describe_uploads",
        "api.openapi.get_openapi",
        "api.health.healthz",
        "api.health.readyz",
        "sign_in.form",
        "sign_in.submit",
        "problems.index",
        "problems.show",
    ),
    Permission.READ: (
        "api.events.follow_job",
        "api.reviews.get_corrections",
        "api.aliases.get_alias",
        "api.files.get_job_file",
        "api.jobs.get_job",
        "api.models.get_model",
        "api.files.get_model_file",
        "api.datasets.get_dataset",
        "api.dataset_images.get_dataset_diff",
        "api.dataset_images.get_dataset_image",
        "api.datasets.get_dataset_preview",
        "api.reviews.get_review",
        "api.reviews.get_review_item",
        "api.reviews.get_review_picture",
        "api.classifications.list_classifications",
        "api.comparisons.get_difference_picture",
        "api.comparisons.get_differences",
        "api.checks.list_checks",
        "api.checks.list_dataset_versions",
        "api.comparisons.list_comparisons",
        "api.datasets.list_datasets",
        "api.files.list_job_files",
        "api.jobs.list_jobs",
        "api.files.list_model_files",
        "api.models.list_models",
        "api.recipes.list_recipes",
        "api.reviews.list_reviews",
        "api.sweeps.list_sweeps",
        "api.trainings.list_trainings",
        "api.workers.list_workers",
        "api.aliases.list_aliases",
        "api.aliases.list_alias_changes",
        "api.aliases.list_aliases_of_model",
        "aliases.index",
        "aliases.show",
        "compare.show",
        "differences.index",
        "dataset_checks.index",
        "dataset_diff.show",
        "datasets.index",
        "datasets.show",
        "home.index",
        "images.index",
        "image.picture",
        "image.show",
        "metrics.show",
        "classify.form",
        "job.show",
        "job.live",
        "jobs.index",
        "model_import.form",
        "models.show",
        "models.index",
        "models.savedmodel",
        "train.form",
        "predict.form",
        "reference.show",
        "review.show",
        "sweep.form",
    ),
    Permission.SUBMIT: (
        "api.uploads.append_to_upload",
        "api.classifications.create_classification",
        "api.checks.create_check",
        "api.checks.create_dataset_version",
        "api.comparisons.create_comparison",
        "api.datasets.create_dataset",
        "api.model_imports.create_model_import",
        "api.predictions.create_prediction",
        # The owner of the classification is checked once the body is read.
        "api.reviews.create_review",
        "api.sweeps.create_sweep",
        "api.trainings.create_training",
        "api.uploads.create_upload",
        "api.uploads.delete_upload",
        "api.uploads.get_upload",
        "api.uploads.list_uploads",
        "dataset_checks.correct",
        "dataset_checks.submit",
        "datasets.upload",
        "classify.submit",
        "compare.submit",
        "model_import.submit",
        "train.submit",
        "predict.answer",
        "predict.answers_of_others",
        "sweep.submit",
    ),
    Permission.OWNER: (
        "api.jobs.cancel_job",
        "api.reviews.delete_correction",
        "api.jobs.delete_job",
        "api.datasets.delete_dataset",
        "api.models.delete_model",
        "api.reviews.put_correction",
        "api.jobs.retry_job",
        "datasets.delete",
        "job.cancel",
        "job.delete",
        "models.delete",
        "job.retry",
        "review.correct",
        "review.merge",
    ),
    Permission.ADMIN: (
        "api.webhooks.create_webhook",
        "api.webhooks.delete_webhook",
        "api.webhooks.get_webhook",
        "api.webhooks.list_deliveries",
        "api.webhooks.list_webhooks",
        "api.aliases.add_alias_to_model",
        "api.aliases.delete_alias",
        "api.aliases.put_alias",
        "api.aliases.roll_back_alias",
        "aliases.delete",
        "aliases.promote",
        "aliases.roll_back",
        "users.add",
        "users.change",
        "users.index",
        "users.remove",
    ),
    Permission.ACCOUNT: (
        "sign_in.sign_out",
        "account.add_key",
        "account.change_password",
        "account.index",
        "account.revoke_key",
    ),
}

NEEDS: dict[str, Permission] = {endpoint: need for need, endpoints in _ENDPOINTS.items() for endpoint in endpoints}
