"""From names of a source to roles."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from schemas.role_maps import RoleMaps
from schemas.vocabulary import RoleKind
from streams.gateway.edge import Acting
from tests.unit.edge.edges import KEY, OLD_KEY, edge

MAPS = {
    "group": {"Network  Team": "network"},
    "label": {"team/db": "database"},
    "location": {"4 West": "ward"},
    "actor": {KEY.hash_actor("ann"): "network", OLD_KEY.hash_actor("bob"): "database"},
}


def test_case_and_spaces_of_names_do_not_count() -> None:
    roles = edge(role_maps=MAPS).roles("p")
    for name in ("Network Team", " NETWORK\tTEAM ", "network team"):
        assert roles.mapped("group", name) == "network"
    assert roles.mapped("group", "network-team") == ""
    assert roles.mapped("location", "network team") == ""


def test_what_is_a_role_by_nature_has_its_own_name() -> None:
    roles = edge(role_maps=MAPS).roles("p")
    assert roles.named("group", " Data \n Base ") == "Data Base"
    assert roles.named("group", "network team") == "network"
    assert roles.named("group", "  ") == ""


@pytest.mark.parametrize("kind", ["label", "actor"])
def test_neither_people_nor_free_text_are_roles_under_their_own_names(kind: RoleKind) -> None:
    assert edge(role_maps=MAPS).roles("p").named(kind, "Ann Example") == ""


def test_an_actor_is_found_by_the_hash_of_every_key_of_this_site() -> None:
    roles = edge(role_maps=MAPS).roles("p")
    found = [roles.of_actor(Acting(name)) for name in ("ann", "bob", "eve", "", "\udc00")]
    assert found == ["network", "database", "", "", ""]


def test_without_a_policy_nothing_is_mapped() -> None:
    assert edge().roles("elsewhere").mapped("group", "network team") == ""


def test_the_policy_in_force_decides() -> None:
    assert edge(role_maps=MAPS, effective_from="2026-03-03T00:00:00Z").roles("p").mapped("group", "network team") == ""


def test_a_map_of_actors_takes_no_names_and_repeats_none() -> None:
    for name in ("Ann Example", "k1:" + "0" * 31, "k1:" + "0" * 32 + "\n"):
        with pytest.raises(ValidationError) as refused:
            RoleMaps.model_validate({"actor": {name: "ward"}})
        assert "Ann" not in str(refused.value.errors(include_input=False))


def test_one_name_has_one_role() -> None:
    with pytest.raises(ValidationError, match="two roles"):
        RoleMaps.model_validate({"group": {"A": "a", "a ": "b"}})
    assert RoleMaps.model_validate({"group": {"A": "a", "a ": "a"}}).role("group", "A") == "a"
