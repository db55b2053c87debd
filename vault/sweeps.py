"""What the tick sweeps, in this order: functions that find work whose doorbell was lost and ring again.

Each is a dotted name of a function without arguments that is quick, and safe to run twice and beside itself.
"""

SWEEPS = (
    "usage.tasks.sweep",
    "usage.partitions.sweep",
    "usage.collecting.sweep",
    "billing.tasks.sweep_runs",
    "billing.tasks.sweep_unbilled",
    "core.tasks.deliver_outbox",
    "billing.documents.rendering.sweep",
    "billing.rehearsing.sweep",
    "core.mailing.sweep",
    "accounts.webhooks.delivering.sweep",
    "core.tasks.forget_answers",
    "collections_.tasks.sweep",
)
