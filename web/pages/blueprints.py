"""The blueprint of every page."""

from tenfold.web.pages import (
    account,
    aliases,
    classify,
    dataset_checks,
    dataset_diff,
    datasets,
    home,
    model_import,
    models,
    predict,
    problems,
    reference,
    sign_in,
    sweep,
    users,
)
from tenfold.web.pages.compare import differences as difference_page
from tenfold.web.pages.compare import page as compare_page
from tenfold.web.pages.images import image as image_page
from tenfold.web.pages.images import list as image_list
from tenfold.web.pages.jobs import list as job_list
from tenfold.web.pages.jobs import page as job_page
from tenfold.web.pages.review import page as review_page
from tenfold.web.pages.train import page as train_page

BLUEPRINTS = tuple(
    module.blueprint
    for module in (
        home,
        *(job_list, job_page, image_list, image_page, review_page),
        *(train_page, sweep, classify, predict),
        *(model_import, models, aliases, datasets, dataset_checks, dataset_diff, compare_page, difference_page),
        *(reference, problems),
        *(sign_in, account, users),
    )
)
