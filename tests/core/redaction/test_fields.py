"""What a path names in a document is what RFC 9535 says; all paths of a masking are followed in one walk."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonpath_rfc9535 import JSONPathEnvironment

from extproc.core.masking import FieldMask, Mask, Style
from extproc.core.policy.paths import read_path
from extproc.core.redaction.fields import Claim, Place, start

STANDARD = JSONPathEnvironment()
REDACT, HASH = Mask(), Mask(Style.HASH)


def field(path: str, mask: Mask = REDACT, rule: str = "r") -> FieldMask:
    steps = read_path(path)
    assert isinstance(steps, tuple)
    return FieldMask(rule=rule, path=path, steps=steps, mask=mask)


def claimed(value: Any, place: Place, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if place.claim is not None:
        yield at
    children: list[tuple[str | int, Any, Place]] = []
    if isinstance(value, dict):
        named, other = place.members()
        children = [(name, child, named.get(name, other)) for name, child in value.items()]
    elif isinstance(value, list):
        children = [(index, item, place.item(index, len(value))) for index, item in enumerate(value)]
    for step, child, there in children:
        found = list(claimed(child, there, (*at, step)))
        assert place.leads_on or not found
        yield from found


NAMES = st.sampled_from(["a", "b", "ssn"])
STEPS = st.one_of(
    NAMES.map(".{}".format),
    NAMES.map("..{}".format),
    st.sampled_from([".*", "[*]", "..*", "..[*]", "[0]", "[-1]", "[1]", "..[0]", "..[-2]"]),
)
PATHS = st.lists(STEPS, max_size=4).map(lambda steps: "$" + "".join(steps))
DOCUMENTS = st.recursive(
    st.integers(0, 3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(DOCUMENTS, st.lists(PATHS, min_size=1, max_size=3))
def test_the_paths_name_what_the_standard_names(document: Any, paths: list[str]) -> None:
    standard = {node.location for path in paths for node in STANDARD.find(path, document)}
    assert set(claimed(document, start([field(path) for path in paths]))) == standard


def member(place: Place, name: str) -> Place:
    named, other = place.members()
    return named.get(name, other)


def test_the_strictest_of_two_claims_wins_and_both_rules_are_told() -> None:
    place = start([field("$..a", HASH, "first"), field("$.a", REDACT, "second")])
    assert member(place, "a").claim == Claim(mask=REDACT, rules=frozenset({"first", "second"}))


def test_a_document_in_a_text_begins_anew_and_goes_on_where_the_text_stood() -> None:
    place = start([field("$.rows[*].ssn"), field("$.inner.pin")])
    inner = member(place, "inner").inside()
    assert member(member(inner, "rows").item(0, 1), "ssn").claim
    assert member(inner, "pin").claim
    assert not member(place.inside(), "pin").claim
    assert inner is member(place, "inner").inside()


def test_without_paths_nothing_is_claimed_and_nothing_is_open() -> None:
    place = start([])
    assert place.claim is None
    assert not place.leads_on
    assert not member(place, "a").leads_on
    assert place.item(0, 1).claim is None


def test_a_place_is_made_once_however_many_there_are() -> None:
    place = start([field("$..a.*.*.*.*[0].b"), field("$.c")])
    assert member(place, "a") is member(place, "a")
    assert member(place, "x") is member(place, "y")

    def led(number: int) -> Place:
        here = place
        for bit in range(6):
            here = member(here, "a" if number >> bit & 1 else "x")
        return here.item(0, 1)

    before = [led(number) for number in range(64)]
    assert all(led(number) is there for number, there in enumerate(before))
    assert place.made == before[-1].made > 32
