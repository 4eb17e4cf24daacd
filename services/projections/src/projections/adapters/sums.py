"""What is to be added to the tables of sums: one row a key, always in the same order.

So writers of the same rows never wait for each other in a circle.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from projections.domain.figures import Figures
from readmodels.views import RunState


def counts(figures: Figures) -> list[dict[str, Any]]:
    """Return what to add by run and status."""
    return [
        {"run_id": run, "status": status, "organization_id": figures.owners[run][0]}
        | added._asdict()
        for (run, status), added in sorted(figures.counts.items())
    ]


def errors(figures: Figures) -> list[dict[str, Any]]:
    """Return what to add by run, status, error code and reason."""
    return [
        {
            "run_id": run,
            "status": status,
            "error_code": code,
            "reason": reason,
            "organization_id": figures.owners[run][0],
        }
        | added._asdict()
        for (run, status, code, reason), added in sorted(figures.errors.items())
    ]


def hours(figures: Figures) -> list[dict[str, Any]]:
    """Return what to add by run, hour of the attempt and status."""
    return [
        {"run_id": run, "hour": hour, "status": status, "organization_id": figures.owners[run][0]}
        | added._asdict()
        for (run, hour, status), added in sorted(figures.hours.items())
    ]


def charges(figures: Figures) -> list[dict[str, Any]]:
    """Return what to add by organisation, quarter of the attempt, campaign and outcome."""
    return [
        {
            "organization_id": organization,
            "quarter": quarter,
            "campaign_id": campaign,
            "outcome": outcome,
        }
        | added._asdict()
        for (organization, quarter, campaign, outcome), added in sorted(figures.charges.items())
    ]


def of_runs(figures: Figures, nothing: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return what to add to runs; of a run that isn't known yet, nothing else is known."""
    rows: dict[UUID, dict[str, Any]] = {}
    for (run, figure), value in figures.runs.items():
        organization, campaign = figures.owners[run]
        row = rows.setdefault(
            run,
            {
                "run_id": run,
                "organization_id": organization,
                "campaign_id": campaign,
                "state": RunState.PREPARING,
                "state_sequence": 0,
                **nothing,
            },
        )
        row[figure] = value
    return [rows[run] for run in sorted(rows)]
