"""What each route needs of whoever asks. A route that is not here is for administrators only, and fails a test."""

from enum import Enum

from worker.people.scopes import Scope


class Need(Enum):
    """`PUBLIC` is for everybody, `ACCOUNT` for whoever is signed in, about themselves. `OWNER` is for the owner of the
    job, or of the data set, that the address names, and for administrators."""

    PUBLIC = "public"
    READ = Scope.READ
    SUBMIT = Scope.SUBMIT
    OWNER = "owner"
    ADMIN = Scope.ADMIN
    ACCOUNT = "account"

    @property
    def scope(self) -> Scope:
        """The least scope that it takes."""
        return _LEAST_SCOPES[self]


_LEAST_SCOPES = {
    Need.PUBLIC: Scope.READ,
    Need.READ: Scope.READ,
    Need.SUBMIT: Scope.SUBMIT,
    Need.OWNER: Scope.SUBMIT,
    Need.ADMIN: Scope.ADMIN,
    Need.ACCOUNT: Scope.READ,
}

_ENDPOINTS: dict[Need, tuple[str, ...]] = {
    Need.PUBLIC: (
        "static",
        "bootstrap.static",
        "api.describe_uploads",
        "api.get_openapi",
        "api.healthz",
        "api.readyz",
        "access.sign_in_form",
        "access.sign_in",
        "problems.index",
        "problems.show",
    ),
    Need.READ: (
        "api.follow_job",
        "api.get_corrections",
        "api.get_default_model",
        "api.get_file",
        "api.get_job",
        "api.get_model",
        "api.get_model_file",
        "api.get_one_dataset",
        "api.get_preview",
        "api.get_review",
        "api.get_review_picture",
        "api.list_all_datasets",
        "api.list_files",
        "api.list_jobs",
        "api.list_model_files",
        "api.list_models",
        "api.list_recipes",
        "api.list_workers",
        "compare.show",
        "datasets.index",
        "datasets.show",
        "home.index",
        "images.index",
        "images.picture",
        "images.show",
        "metrics.show",
        "pages.classify_form",
        "pages.job",
        "pages.job_live",
        "pages.jobs",
        "pages.model",
        "pages.models",
        "pages.savedmodel",
        "pages.train_form",
        "predict.form",
        "reference.show",
        "review.show",
        "sweeps.form",
    ),
    Need.SUBMIT: (
        "api.append_to_upload",
        "api.create_classification",
        "api.create_dataset",
        "api.create_prediction",
        # Whose the classification is, is asked once the body is read.
        "api.create_review",
        "api.create_sweep",
        "api.create_training",
        "api.create_upload",
        "api.delete_upload",
        "api.get_upload",
        "datasets.upload",
        "pages.classify",
        "pages.train",
        "predict.answer",
        "predict.answers_of_others",
        "sweeps.submit",
    ),
    Need.OWNER: (
        "api.cancel_job",
        "api.delete_correction",
        "api.delete_job",
        "api.delete_one_dataset",
        "api.delete_one_model",
        "api.put_correction",
        "api.retry_job",
        "datasets.delete",
        "pages.cancel",
        "pages.delete",
        "pages.remove_model",
        "pages.retry",
        "review.correct",
        "review.merge",
    ),
    Need.ADMIN: (
        "api.create_webhook",
        "api.delete_webhook",
        "api.get_webhook",
        "api.list_deliveries",
        "api.list_webhooks",
        "api.put_default_model",
        "pages.make_default",
        "people.add",
        "people.change",
        "people.index",
        "people.remove",
    ),
    Need.ACCOUNT: (
        "access.sign_out",
        "account.add_key",
        "account.change_password",
        "account.index",
        "account.revoke_key",
    ),
}

NEEDS: dict[str, Need] = {endpoint: need for need, endpoints in _ENDPOINTS.items() for endpoint in endpoints}
