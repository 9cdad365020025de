"""Each kind of member is treated as what it is, and as a free document where it is something else."""

import base64
import copy
import gzip
from typing import Any

import pytest

from extproc.core.masking import Mask, Style
from extproc.core.redaction import treatments as as_
from extproc.core.redaction.columns import Columns
from extproc.core.redaction.rules import Rules
from extproc.core.redaction.search import Search
from extproc.core.redaction.sinks import Gathering
from extproc.core.redaction.treatments import Treatment, Walk
from extproc.core.redaction.work import Work
from masks import KEY, detect, field, masks

MAIL, CARD = "bob@example.com", 4111111111111111
RULES = Rules(masks(detect(), field("$.ssn"), field("$..pin")), KEY)


def treated(treatment: Treatment, value: Any, rules: Rules = RULES, named: frozenset[str] = frozenset()) -> Any:
    before = copy.deepcopy(value)
    gathering = Gathering(rules)
    treatment(value, Walk(rules=rules, root=rules.root(), sink=gathering, named=named))
    search = Search(rules, Columns(rules), Work(10**6))
    search.take(gathering.keys)
    walk = Walk(rules=rules, root=rules.root(), sink=search.settle(), named=named)
    result = treatment(value, walk)
    assert value == before
    return result if not walk.dropped else (result, walk.dropped)


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    ("treatment", "value", "expected"),
    [
        (as_.document, {"ssn": 1, "a": {"pin": 2, "ssn": 3}, "b": MAIL}, {"ssn": "[masked]", "a": {"pin": "[masked]", "ssn": 3}, "b": "[mail]"}),
        (as_.structured, {"ssn": 1}, {"ssn": "[masked]"}),
        (as_.structured, MAIL, "[mail]"),
        (as_.fixed, {"ssn": 1, "pin": MAIL, MAIL: 5}, {"ssn": 1, "pin": "[mail]", "[mail]": 5}),
        (as_.words, f"to {MAIL}", "to [mail]"),
        (as_.words, '{"ssn": 1, "b": 2}', '{"ssn": "[masked]", "b": 2}'),
        (as_.words, {"ssn": 1}, {"ssn": "[masked]"}),
        (as_.handle, MAIL, MAIL),
        (as_.handle, 5, 5),
        (as_.handle, {"x": MAIL}, {"x": "[mail]"}),
        (as_.word, "assistant", "assistant"),
        (as_.word, MAIL, "[mail]"),
        (as_.word, ["assistant", MAIL], ["assistant", "[mail]"]),
        (as_.number, 7, 7),
        (as_.number, CARD, 0),
        (as_.number, float(CARD), 0),
        (as_.number, True, True),
        (as_.number, MAIL, "[mail]"),
        (as_.uri, f"mail://{MAIL}/", "mail://[mail]/"),
        (as_.uri, "mail://known@example.com/", "mail://known@example.com/"),
        (as_.uri, [MAIL], ["[mail]"]),
        (as_.blob, b64(f"to {MAIL}!".encode()), b64(b"to [mail]!")),
        (as_.blob, f"data:text/plain;base64,{b64(MAIL.encode())}", f"data:text/plain;base64,{b64(b'[mail]')}"),
        (as_.blob, b64(b"\x89PNG\0\0"), b64(b"\x89PNG\0\0")),
        (as_.blob, b64(b"\x89PNG\0\0" + MAIL.encode()), None),
        (as_.blob, b64(b"nothing in it"), b64(b"nothing in it")),
        (as_.blob, f"not base64, {MAIL}", "not base64, [mail]"),
        (as_.blob, [MAIL], ["[mail]"]),
        (as_.blob, "AKIAIOSFODNN7EXAMPLE", None),
        (as_.blob, "[mail]", "[mail]"),
    ],
)  # fmt: skip
def test_a_value_is_treated_as_what_it_is(treatment: Treatment, value: Any, expected: Any) -> None:
    assert treated(treatment, value, named=frozenset({"mail://known@example.com/"})) == expected


def test_an_object_stays_an_object_where_a_path_names_the_whole_of_it() -> None:
    whole = Rules(masks(field("$")), KEY)
    assert treated(as_.structured, {"a": 1}, whole) == {}
    assert treated(as_.structured, {}, whole) == {}
    assert treated(as_.structured, [1], whole) == "[masked]"


def test_opaque_bytes_pass_only_where_they_may() -> None:
    png = b64(b"\x89PNG\0\0")
    assert treated(as_.blob, png, Rules(masks(blocks_opaque=True), KEY)) is None
    assert treated(as_.blob, b64(b"text"), Rules(masks(blocks_opaque=True), KEY)) == b64(b"text")
    assert treated(as_.blob, b64(gzip.compress(bytes(1 << 21)))) is None


def test_words_of_an_operator_in_the_place_of_bytes_are_no_bytes() -> None:
    replacing = Rules(masks(detect(mask=Mask(Style.REPLACE, text="id number"))), KEY)
    assert treated(as_.blob, MAIL, replacing) == "id number"
    assert treated(as_.blob, "id number", replacing) == "id number"
    assert treated(as_.blob, f"{MAIL} ", replacing) is None
    assert treated(as_.blob, f"to: {MAIL}", replacing) == "to: id number"


SHAPE = {"name": as_.fixed, "about": as_.words}


@pytest.mark.parametrize(
    ("treatment", "value", "expected"),
    [
        (as_.shaped(SHAPE), {"name": "x", "ssn": 1, "about": MAIL}, {"name": "x", "ssn": "[masked]", "about": "[mail]"}),
        (as_.shaped(SHAPE), {MAIL: 1, "[mail]": 2, "name": "x"}, {"name": "x", "[mail]": 1, "[mail]#2": 2}),
        (as_.shaped(SHAPE), {"name": {"pin": 1}}, {"name": {"pin": 1}}),
        (as_.shaped(SHAPE), [{"pin": 1}], [{"pin": "[masked]"}]),
        (as_.each(as_.words), [MAIL, "x"], ["[mail]", "x"]),
        (as_.each(as_.words), MAIL, "[mail]"),
        (as_.mapped(as_.shaped(SHAPE)), {"a": {"about": MAIL}, "b": {}}, {"a": {"about": "[mail]"}, "b": {}}),
        (as_.mapped(as_.words), [MAIL], ["[mail]"]),
        (as_.listed(SHAPE, "name"), [{"name": MAIL}, {"name": "x", "about": MAIL}, {"about": "y"}, MAIL], ([{"name": "x", "about": "[mail]"}, {"about": "y"}, "[mail]"], 1)),
        (as_.listed(SHAPE, "name"), {"name": MAIL}, {"name": "[mail]"}),
        (as_.listed(SHAPE, "name", named=True), [{"name": "k@known.org"}], [{"name": "[mail]"}]),
    ],
)  # fmt: skip
def test_objects_and_lists_are_walked_whole(treatment: Treatment, value: Any, expected: Any) -> None:
    assert treated(treatment, value, named=frozenset({"k@known.org"})) == expected


@pytest.mark.parametrize(
    ("treatment", "value"),
    [
        (as_.shaped(SHAPE), {"name": "x", "other": {"a": [1, "b"]}}),
        (as_.mapped(as_.shaped(SHAPE)), {"a": {"name": "x"}}),
        (as_.listed(SHAPE, "name"), [{"name": "x"}, 5]),
        (as_.each(as_.words), ["x", "y"]),
    ],
)
def test_what_stays_is_the_same_object(treatment: Treatment, value: Any) -> None:
    assert treated(treatment, value) is value


def test_a_masked_name_takes_no_known_members_place() -> None:
    replacing = Rules(masks(detect(mask=Mask(Style.REPLACE, text="about"))), KEY)
    assert treated(as_.shaped(SHAPE), {MAIL: 1, "about": "x"}, replacing) == {"about": "x", "[mail]": 1}
    assert treated(as_.shaped({"[mail]": as_.fixed}), {MAIL: 1, "[mail]": "x"}) == {"[mail]": "x", "[mail]#2": 1}


def test_a_path_that_names_every_document_takes_the_unknown_members_too() -> None:
    whole = Rules(masks(field("$")), KEY)
    assert treated(as_.shaped(SHAPE), {"name": "x", "other": 1}, whole) == {"name": "x"}
