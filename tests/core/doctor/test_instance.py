"""The Envoy itself."""

from dataclasses import replace

import pytest

from extproc.core.doctor import examined, from_dump
from extproc.core.doctor.instance import too_old
from shipped import problems, shipped


@pytest.mark.parametrize("version", ["1.39.0", "1.38.9", "1.9.99", "0.40.0", "1.39", "", "main", "1.x.3"])
def test_a_version_with_known_ways_past_ext_proc_is_too_old(version):
    assert too_old(version)


@pytest.mark.parametrize("version", ["1.39.1", "1.39.10", "1.40.0", "1.40.0-dev", "2.0.0"])
def test_the_floor_and_what_is_above_are_not(version):
    assert not too_old(version)


def test_the_version_of_a_running_envoy_is_judged():
    said = [each.problem for each in examined(from_dump({"configs": []}, version="abc/1.38.2/Clean/RELEASE/BoringSSL"))]
    assert "Envoy 1.38.2 has known ways past ext_proc" in said


def test_what_drains_is_told_although_a_dump_does_not_show_it():
    setup = from_dump({"configs": []}, version="a/1.40.0/b", draining=1)
    assert [each for each in examined(setup) if "go on by its old filters" in each.problem]
    assert not [each for each in examined(replace(setup, draining=0)) if "go on by its old filters" in each.problem]


@pytest.mark.parametrize("address", ["0.0.0.0", "10.1.2.3", "::", "envoy.example"])
def test_an_admin_interface_that_others_reach_is_named(address):
    document = shipped()
    document["admin"]["address"]["socket_address"]["address"] = address
    assert problems(document) == [f"unsafe: the admin interface on {address} can stop Envoy and shows its secrets"]


@pytest.mark.parametrize(
    "admin", [{}, {"address": {"pipe": {"path": "admin.sock"}}}, {"address": {"socket_address": {"address": "::1"}}}]
)
def test_an_admin_interface_that_only_this_machine_reaches_is_not(admin):
    document = shipped()
    document["admin"] = admin
    assert problems(document) == []


def test_bounds_are_wanted():
    document = shipped()
    del document["overload_manager"]
    assert problems(document) == ["weak: nothing bounds Envoy's memory and connections"]
