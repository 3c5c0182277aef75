"""Metaflow plug-ins of assetsite: the step decorators behind ProjectFlow and @highlight; cards are below ``cards``."""

STEP_DECORATORS_DESC = [
    ("assetsite_task", ".task_decorator.AssetTaskDecorator"),
    ("assetsite_highlight", ".highlight_decorator.HighlightDecorator"),
]
"""The first settles a task's registrations when the task ends, the second fills a highlight card."""
