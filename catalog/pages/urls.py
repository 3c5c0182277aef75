"""Addresses of the pages. They come last, because their first segment may be any perimeter."""

from django.urls import path

from catalog.pagekit.routes import ASSET, BRANCH, HIGHLIGHT, INSTANCE, PROJECT
from catalog.pages.alias import alias_page
from catalog.pages.aliases import aliases_page
from catalog.pages.asset import asset_page
from catalog.pages.attention import attention_page, branch_attention_page, dismiss_in_perimeter, dismiss_on_branch
from catalog.pages.audit import audit_page
from catalog.pages.cards import card_frame, card_list
from catalog.pages.charts.view import metrics_page
from catalog.pages.evaluations import evaluations_page
from catalog.pages.feeds import asset_feed, attention_feed, branch_attention_feed, branch_feed, perimeter_feed
from catalog.pages.film import film_page
from catalog.pages.first_steps import first_steps_page
from catalog.pages.highlight import highlight_card, highlight_page
from catalog.pages.highlights import highlight_image, highlights_page
from catalog.pages.home import home_page, perimeter_page, project_page, webhooks_or_project
from catalog.pages.instance import instance_page
from catalog.pages.listing import listing_page
from catalog.pages.normal import normal_page
from catalog.pages.overview import elsewhere, overview_page
from catalog.pages.pulse import asset_pulse, branch_pulse, instance_pulse
from catalog.pages.search import search_page

urlpatterns = [
    path("", home_page, name="home"),
    path("index.json", home_page, {"twin": True}),
    path("search<twin:twin>", search_page, name="search"),
    path("<name:perimeter>.atom", perimeter_feed, name="perimeter-feed"),
    path("<name:perimeter><twin:twin>", perimeter_page, name="perimeter"),
    path("<name:perimeter>/attention.atom", attention_feed, {"beside": False}, name="attention-feed"),
    path("<name:perimeter>/~attention.atom", attention_feed, {"beside": True}, name="attention-feed-beside"),
    path(f"{BRANCH}.atom", branch_feed, {"twin": True}, name="branch-feed"),
    path(f"{BRANCH}/attention.atom", branch_attention_feed, {"twin": True}, name="branch-attention-feed"),
    path(f"{ASSET}.atom", asset_feed, name="asset-feed"),
    path("<name:perimeter>/webhooks", webhooks_or_project, name="webhooks-or-project"),
    path("<name:perimeter>/attention<twin:twin>", attention_page, {"beside": False}, name="attention"),
    path("<name:perimeter>/~attention<twin:twin>", attention_page, {"beside": True}, name="attention-beside"),
    path("<name:perimeter>/attention/dismiss", dismiss_in_perimeter, {"beside": False}, name="dismiss"),
    path("<name:perimeter>/~attention/dismiss", dismiss_in_perimeter, {"beside": True}, name="dismiss-beside"),
    path("<name:perimeter>/audit<filed:form>", audit_page, {"beside": False}, name="audit"),
    path("<name:perimeter>/~audit<filed:form>", audit_page, {"beside": True}, name="audit-beside"),
    path("<name:perimeter>/~first-steps<twin:twin>", first_steps_page, name="first-steps"),
    path(f"{PROJECT}<twin:twin>", project_page, name="project"),
    path(f"{BRANCH}<twin:twin>", overview_page, name="branch"),
    path(f"{BRANCH}/attention<twin:twin>", branch_attention_page, name="branch-attention"),
    path(f"{BRANCH}/attention/dismiss", dismiss_on_branch, name="dismiss-on-branch"),
    path(f"{BRANCH}/pulse", branch_pulse, name="branch-pulse"),
    path(f"{BRANCH}/assets<twin:twin>", listing_page, {"kind": ""}, name="assets"),
    path(f"{BRANCH}/evaluations<twin:twin>", evaluations_page, name="evaluations"),
    path(f"{BRANCH}/highlights<twin:twin>", highlights_page, name="highlights"),
    path(f"{HIGHLIGHT}<twin:twin>", highlight_page, name="highlight"),
    path(f"{HIGHLIGHT}/image", highlight_image, name="highlight-image"),
    path(f"{HIGHLIGHT}/cards/<name:card><twin:twin>", highlight_card, name="highlight-card"),
    path(f"{BRANCH}/<assets:kind><twin:twin>", listing_page, name="kind"),
    path(f"{ASSET}<twin:twin>", asset_page, name="asset"),
    path(f"{ASSET}/pulse", asset_pulse, name="asset-pulse"),
    path(f"{ASSET}/aliases<twin:twin>", aliases_page, name="aliases"),
    path(f"{ASSET}/aliases/<name:alias><drawn:form>", alias_page, name="alias"),
    path(f"{ASSET}/film<twin:twin>", film_page, name="film"),
    path(f"{ASSET}/metrics<drawn:form>", metrics_page, name="metrics"),
    path(f"{ASSET}/normal", normal_page, name="normal"),
    path(f"{INSTANCE}<twin:twin>", instance_page, name="instance"),
    path(f"{INSTANCE}/pulse", instance_pulse, name="instance-pulse"),
    path(f"{INSTANCE}/cards.json", card_list, name="cards"),
    path(f"{INSTANCE}/cards/<name:card><twin:twin>", card_frame, name="card"),
    path(f"{PROJECT}/<path:rest>", elsewhere),
]
