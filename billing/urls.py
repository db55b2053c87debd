"""The app's addresses: pages, then the API."""

from django.urls import URLPattern, URLResolver, path

from billing.views import prices, run_actions, run_detail, runs

urlpatterns: list[URLPattern | URLResolver] = [
    path("runs/", runs.runs, name="runs"),
    path("runs/open/", runs.open_run, name="run_open"),
    path("runs/<int:key>/", run_detail.run, name="run"),
    path("runs/<int:key>/roster.csv", run_detail.roster, name="run_roster"),
    path("runs/<int:key>/approve/", run_actions.approve, name="run_approve"),
    path("runs/<int:key>/issue/", run_actions.issue, name="run_issue"),
    path("runs/<int:key>/retry/", run_actions.retry, name="run_retry"),
    path("runs/<int:key>/close/", run_actions.close, name="run_close"),
    path("runs/<int:key>/cancel/", run_actions.cancel, name="run_cancel"),
    path("runs/<int:key>/accounts/<str:code>/hold/", run_actions.hold, name="run_hold"),
    path("runs/<int:key>/accounts/<str:code>/release/", run_actions.release, name="run_release"),
    path("runs/<int:key>/accounts/<str:code>/retry/", run_actions.redraft, name="run_redraft"),
    path("prices/", prices.products, name="products"),
    path("prices/new/", prices.new_product, name="product_new"),
    path("prices/<path:code>/", prices.product, name="product"),
]
