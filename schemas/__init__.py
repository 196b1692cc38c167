"""Canonical records of the gateway: the one door to floor 0.

`DATASETS` is the catalogue of schemas; everything else about a field is in its `Of(...)` (see `schemas.fields`).
"""

from schemas import (
    agri_entity,
    assistance,
    contracted_land,
    homestead,
    homestead_approval,
    household_member,
    marriage,
    payment,
    subsidy,
)
from schemas.fields import Canonical, Dataset, FieldSpec, Of, Record, Scalar, Sensitivity, Value

DATASETS: dict[str, Dataset] = {
    module.DATASET.name: module.DATASET
    for module in (
        household_member,
        marriage,
        homestead,
        homestead_approval,
        contracted_land,
        subsidy,
        payment,
        agri_entity,
        assistance,
    )
}

__all__ = ["DATASETS", "Canonical", "Dataset", "FieldSpec", "Of", "Record", "Scalar", "Sensitivity", "Value"]
