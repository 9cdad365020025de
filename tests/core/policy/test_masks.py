"""The section ``masking`` is read whole: what each key says, and every mistake with its place and the fix."""

import pytest

from extproc.core.masking import Detection, FieldMask, Mask, OwnDetector, Step, Style
from extproc.core.policy import compiled
from named import recognise
from policies import GOOD, load, problems

RULE = "masking:\n  - name: pii\n    servers: [db]\n"
DETECT = "    detect: [email]\n"


def masks(text: str):
    (rule,) = load(GOOD + text).servers["db"].masks
    return rule


def only(text: str) -> tuple[int, int, str, str]:
    found = problems(GOOD + text)
    assert len(found) == 1, "\n".join(map(str, found))
    offset = GOOD.count("\n")
    return found[0].line - offset, found[0].column, found[0].what, found[0].fix


def test_a_rule_masks_responses_by_redaction_unless_it_says_otherwise() -> None:
    rule = masks(RULE + DETECT)
    assert rule.masks.detections == (Detection(rule="pii", types=("email",), mask=Mask()),)
    assert (rule.on_responses, rule.on_requests, rule.blocks, rule.masks.blocks_opaque) == (True, False, False, False)


@pytest.mark.parametrize(
    ("written", "mask"),
    [
        ("redact", Mask()),
        ("hash", Mask(Style.HASH)),
        ("{keep_last: 4}", Mask(Style.KEEP_LAST, keep=4)),
        ("{replace: removed by policy}", Mask(Style.REPLACE, text="removed by policy")),
    ],
)
def test_each_style_can_stand_on_the_rule_a_field_and_a_detector(written: str, mask: Mask) -> None:
    assert masks(RULE + DETECT + f"    as: {written}\n").masks.detections[0].mask == mask
    field = masks(RULE + f"    fields: [{{path: $.a, as: {written}}}]\n").masks.fields[0]
    assert field == FieldMask(rule="pii", path="$.a", steps=(Step(name="a"),), mask=mask)
    assert masks(RULE + f"    detect: [{{type: email, as: {written}}}]\n").masks.detections[0].mask == mask


def test_an_entry_without_a_style_takes_the_rules() -> None:
    rule = masks(RULE + "    fields: [{path: $.a}, {path: $.b, as: redact}]\n    detect: [email]\n    as: hash\n")
    assert [field.mask.style for field in rule.masks.fields] == [Style.HASH, Style.REDACT]
    assert rule.masks.detections[0].mask.style is Style.HASH


def test_a_group_stands_for_its_detectors_and_one_that_is_named_itself_counts_before_it() -> None:
    text = "    detect: [secrets, {type: jwt, as: hash, threshold: 0.9}]\n    threshold: 0.7\n"
    by_type = {kind: each for each in masks(RULE + text).masks.detections for kind in each.types}
    assert (by_type["jwt"].mask.style, by_type["jwt"].threshold) == (Style.HASH, 0.9)
    assert (by_type["private_key"].mask.style, by_type["private_key"].threshold) == (Style.REDACT, 0.7)
    assert len(by_type) > 2


def test_own_detectors_go_with_the_rules_that_name_them() -> None:
    own = "detectors:\n  staff_id: {patterns: ['E[0-9]{6}'], words: [boss], score: 0.8, context: [badge]}\n"
    rule = masks(RULE + "    detect: [staff_id, email]\n" + own)
    expected = OwnDetector(name="staff_id", patterns=("E[0-9]{6}",), words=("boss",), score=0.8, context=("badge",))
    assert rule.masks.own == (expected,)


@pytest.mark.parametrize(
    ("text", "line", "column", "what", "fix"),
    [
        ("masking: {}\n", 1, 10, "`masking` must be a list", "remove the key"),
        ("masking: [{servers: [db]}]\n", 1, 11, "has no `name`", "Add `name:`"),
        (RULE, 2, 5, "masking rule `pii` masks nothing", "Give it `fields`"),
        (RULE + DETECT + "    acton: mask\n", 5, 5, "unknown key `acton`", "Did you mean `action`?"),
        (RULE + DETECT + "  - {name: pii, servers: [db], detect: [email]}\n", 5, 12, "two masking rules", "own name"),
        (RULE + "    detect: [emial]\n", 4, 14, "there is no detector `emial`", "Did you mean `email`?"),
        (RULE + "    detect: [qqqq]\n", 4, 14, "there is no detector `qqqq`", "extproc mask detectors"),
        (RULE + "    detect: [email, email]\n", 4, 21, "`email` stands twice", "Remove one"),
        (RULE + "    detect: [email, {type: email}]\n", 4, 28, "`email` stands twice", "Remove one"),
        (RULE + "    detect: [{as: hash}]\n", 4, 14, "has no `type`", "Add `type:`"),
        (RULE + "    detect: [[email]]\n", 4, 14, "must be text", "Write a text"),
        (RULE + DETECT + "    threshold: 0\n", 5, 16, "`threshold`", "0.6"),
        (RULE + DETECT + "    threshold: true\n", 5, 16, "`threshold`", "0.6"),
        (RULE + DETECT + "    threshold: '0.5'\n", 5, 16, "`threshold`", "0.6"),
        (RULE + "    fields: [{path: $.a}]\n    threshold: 0.5\n", 5, 16, "without `detect`", "Remove it"),
        (RULE + "    fields: [{path: '$.rows[?@.a]'}]\n", 4, 28, "a filter is not supported", "Name the fields"),
        (RULE + "    fields: [{path: 'a.b'}]\n", 4, 22, "begins with `$`", "$..ssn"),
        (RULE + '    fields: [{path: "\\x24.b c"}]\n', 4, 21, "needs quotes", "['b c']"),
        (RULE + "    fields: [{path: $.a}, {path: \"$['a']\"}]\n", 4, 34, "stands twice", "Remove one"),
        (RULE + "    fields: [{as: hash}]\n", 4, 14, "has no `path`", "Add `path:`"),
        (RULE + "    fields: [{path: 5}]\n", 4, 21, "must be text", "quotes"),
        (RULE + DETECT + "    action: block\n", 5, 13, "refuses requests only", "on: requests"),
        (RULE + DETECT + "    message: no\n", 5, 14, "nobody ever sees", "action: block"),
        (RULE + DETECT + "    on: answers\n", 5, 9, "`on`", "Use one of"),
        (RULE + DETECT + "    opaque: maybe\n", 5, 13, "`opaque`", "Use one of"),
        (RULE + DETECT + "    on: requests\n    opaque: block\n", 6, 13, "is about responses", "on: both"),
        (RULE + DETECT + "    except: {}\n", 5, 13, "names nobody", "Name `roles`"),
        (RULE + DETECT + "    except: {people: [x]}\n", 5, 14, "unknown key `people`", "Known keys"),
        (RULE + DETECT + "    except: [x]\n", 5, 13, "must be a mapping", "Use the keys"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_fix(text: str, line: int, column: int, what: str, fix: str) -> None:
    at_line, at_column, said, then = only(text)
    assert (at_line, at_column) == (line, column)
    assert what in said
    assert fix in then


def test_a_threshold_that_an_own_detector_never_reaches_is_a_mistake() -> None:
    own = "detectors:\n  x: {words: [boss], score: 0.4}\n"
    assert "`x` is never found" in only(RULE + "    detect: [x]\n    threshold: 0.5\n" + own)[2]
    assert masks(RULE + "    detect: [x]\n    threshold: 0.4\n" + own).masks.own


def test_a_rule_may_mask_opaque_bytes_alone_and_refuse_requests_with_a_sentence() -> None:
    assert masks(RULE + "    opaque: block\n").masks.blocks_opaque
    rule = masks(RULE + DETECT + "    on: both\n    action: block\n    message: 'Ask\n      legal.'\n")
    assert (rule.on_responses, rule.on_requests, rule.blocks, rule.message) == (True, True, True, "Ask legal.")
    assert not masks(RULE + DETECT + "    on: requests\n").on_responses


def test_names_and_places_want_a_recogniser_and_without_one_the_policy_is_refused() -> None:
    text = RULE + "    detect: [email, {type: person_name, threshold: 0.8}, place]\n"
    found = [problem for problem in problems(GOOD + text) if "language model" in problem.what]
    assert [(problem.line - GOOD.count("\n"), problem.column) for problem in found] == [(4, 28), (4, 58)]
    assert found[1].what == "detector `place` needs a language model that is not installed"
    assert found[1].fix == "Install it: pip install 'mcp-extproc[presidio]'"
    rule = load(GOOD + text, recogniser=recognise).servers["db"].masks[0]
    assert rule.masks.recogniser is recognise
    assert Detection(rule="pii", types=("person_name",), mask=Mask(), threshold=0.8) in rule.masks.detections


def test_a_threshold_that_no_name_reaches_is_a_mistake() -> None:
    loaded = compiled.load(GOOD + RULE + "    detect: [place]\n    threshold: 0.9\n", source="p", recogniser=recognise)
    assert isinstance(loaded, tuple)
    (problem,) = loaded
    assert problem.what == "`place` is never found: its score 0.85 is below the threshold 0.9"
    assert problem.fix == "Lower the `threshold`"


def test_a_policy_that_names_neither_does_not_want_it() -> None:
    policy = load(GOOD + RULE + DETECT, recogniser=recognise)
    assert policy.servers["db"].masks[0].masks.recogniser is None
    assert not policy.wants_names
    assert load(GOOD + RULE + "    detect: [place]\n", recogniser=recognise).wants_names
