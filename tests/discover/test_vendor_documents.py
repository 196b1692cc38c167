"""Twenty vendor documents: nine fields in ten find their column, and nothing wrong is called sure."""

from __future__ import annotations

import pytest

from gateway.discover import Proposal, propose
from tests.discover.vendors import VENDORS


@pytest.fixture(scope="module")
def proposals() -> dict[str, Proposal]:
    return {vendor.name: propose([vendor.body()]) for vendor in VENDORS}


def test_there_are_twenty_of_three_kinds() -> None:
    assert len({vendor.name for vendor in VENDORS}) == 20
    assert {vendor.form for vendor in VENDORS} == {"docx", "pdf", "xlsx"}


def test_the_right_mapping_is_proposed(proposals: dict[str, Proposal]) -> None:
    right = asked = sure = 0
    astray, wrong = [], []
    for vendor in VENDORS:
        proposal = proposals[vendor.name]
        assert proposal.dataset == vendor.dataset, vendor.name
        told = {line.column: line for line in proposal.lines if line.const is None}
        for column, path in vendor.truth.items():
            asked += 1
            if column in told and told[column].path == path:
                right += 1
            else:
                astray.append((vendor.name, column, path))
        sure += sum(line.sure for line in told.values())
        wrong += [(vendor.name, c, x.path) for c, x in told.items() if x.sure and vendor.truth.get(c) != x.path]
    print(f"{right} of {asked} fields right, {sure} sure, {len(wrong)} of these wrong; astray: {astray}")
    assert wrong == []
    assert right >= 0.9 * asked
    assert sure >= 0.5 * asked


def test_what_is_unsure_says_why(proposals: dict[str, Proposal]) -> None:
    assert [x.path for p in proposals.values() for x in p.lines if not x.sure and not x.why] == []
