"""What is installed with Tieline may be used and passed on: no licence that binds whoever uses it."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ALLOWED = (
    *("mit", "apache", "bsd", "isc", "psf", "python software foundation", "zlib", "cc0", "mpl", "mozilla"),
    *("unlicense", "hpnd", "zero-clause", "0bsd", "public domain", "python-2.0"),
)
REFUSED = re.compile(
    r"(?<![a-z])(a|l)?gpl|gnu (affero|lesser|general)|sspl|busl|commons clause|non-?commercial", re.IGNORECASE
)
READ_BY_HAND = {
    "docutils": "public domain, BSD and PSF; one file for Emacs, which nothing imports, is under the GPL",
    "venusian": "Repoze Public License: BSD with a notice for changed files",
    "verlib2": "BSD, in its licence file only",
}
"""What the metadata say wrongly or not at all, looked up in the package itself."""


def installed_with(name: str) -> dict[str, Distribution]:
    """A distribution and all it needs here, without its extras."""
    found: dict[str, Distribution] = {}
    wanted = [Requirement(name)]
    while wanted:
        requirement = wanted.pop()
        key = canonicalize_name(requirement.name)
        if key not in found:
            found[key] = distribution(requirement.name)
            wanted += [
                each
                for each in map(Requirement, found[key].requires or [])
                if each.marker is None or each.marker.evaluate({"extra": ""})
            ]
    return found


def licence(package: Distribution) -> str:
    """As its metadata say, the standard expression before older fields; empty: nothing said."""
    said = package.metadata
    classifiers = [each.rsplit(" :: ", 1)[-1] for each in said.get_all("Classifier") or [] if "License ::" in each]
    first_line = (said.get("License") or "").strip().split("\n")[0]
    return said.get("License-Expression") or "; ".join(classifiers) or first_line


PACKAGES = installed_with("tieline")


@pytest.mark.parametrize("name", sorted(set(PACKAGES) - READ_BY_HAND.keys()))
def test_licence_lets_everybody_use_it(name: str) -> None:
    said = licence(PACKAGES[name]).lower()
    assert any(word in said for word in ALLOWED), said or "says nothing"
    assert not REFUSED.search(said), said


def test_what_was_read_by_hand_is_still_there() -> None:
    assert READ_BY_HAND.keys() <= PACKAGES.keys()
