"""What assetsite adds to Metaflow: a step decorator that ProjectFlow puts on every step."""

STEP_DECORATORS_DESC = [("assetsite_task", ".task_decorator.AssetTaskDecorator")]
