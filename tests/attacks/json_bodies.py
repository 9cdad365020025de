"""The bodies of the J cases: what is sent, and what must come of it.

``REFUSED`` is no message at all, ``DENIED`` a message that the policy forbids, ``PASSED`` one that reaches the upstream
as the same value. Every body comes in both eras; a text says ``"echo"`` or ``"run_shell"`` where the tool's name stands.
"""

import codecs
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from attacks.rig import DENIED_TOOL, call

__all__ = ["CASES", "DENIED", "PASSED", "REFUSED", "Body", "Case", "changed", "text_of"]

REFUSED: Final = "reject"
DENIED: Final = "deny"
PASSED: Final = "allow"
CHARSETS: Final = ("application/json", *(f"application/json; charset={each}" for each in ("utf-8", "utf-16", "utf-32")))
MODERN_AND_LEGACY: Final = (True, False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One request body; ``name`` is what ``Mcp-Name`` says, ``method`` what ``Mcp-Method`` says."""

    raw: bytes
    modern: bool
    name: str | None = "echo"
    method: str = "tools/call"
    content_type: str = "application/json"
    who: str = "alice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Bodies with one outcome; ``statuses`` are the HTTP statuses that a refusal may have."""

    outcome: str
    bodies: tuple[Body, ...]
    codes: frozenset[int] = field(default_factory=lambda: frozenset({-32700, -32600, -32602}))


def text_of(name: str = "echo", *, modern: bool, **more: Any) -> str:
    """A base request as text: compact, the tool's name first among the parameters."""
    message = call(name=name, arguments=more.pop("arguments", {"text": "ls"}), modern=modern, **more)
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


def changed(old: str, new: str, name: str = "echo") -> Iterator[Body]:
    """The base requests with one piece of their text replaced."""
    for modern in MODERN_AND_LEGACY:
        text = text_of(name, modern=modern)
        assert old in text, old
        yield Body(raw=text.replace(old, new, 1).encode("utf-8", "surrogatepass"), modern=modern, name=name)


def each(*pairs: tuple[str, str], name: str = "echo") -> tuple[Body, ...]:
    return tuple(body for old, new in pairs for body in changed(old, new, name))


def made(make: Callable[[str], bytes], name: str = "echo", **more: Any) -> tuple[Body, ...]:
    """The base requests, each turned into bytes by ``make``."""
    return tuple(
        Body(raw=make(text_of(name, modern=modern)), modern=modern, name=name, **more) for modern in MODERN_AND_LEGACY
    )


def argument(value: str, name: str = "echo") -> tuple[Body, ...]:
    """The base requests with ``value`` as raw JSON for the argument."""
    return each(('{"text":"ls"}', f'{{"text":{value}}}'), name=name)


def encodings() -> Iterator[Body]:
    for codec in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"):
        mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(codec, b"")
        mark = mark or {"utf-32-le": codecs.BOM_UTF32_LE, "utf-32-be": codecs.BOM_UTF32_BE}.get(codec, b"")
        for content_type in CHARSETS:
            for name in ("echo", DENIED_TOOL):
                for start in {b"", mark}:
                    yield from made(lambda t, c=codec, s=start: s + t.encode(c), name, content_type=content_type)  # type: ignore[misc]


def deep(opening: str, closing: str, depth: int) -> str:
    return opening * depth + "1" + closing * depth


def unknown(method: str, **params: Any) -> Iterator[Body]:
    for modern in MODERN_AND_LEGACY:
        raw = json.dumps(call(method, modern=modern, **params)).encode()
        name = params.get("uri") if method == "resources/read" else None
        yield Body(raw=raw, modern=modern, name=name, method=method)


VERSION: Final = "io.modelcontextprotocol/protocolVersion"
NAME: Final = '"name":"echo"'
NAMES: Final = '"name":"echo","name":"run_shell"'
METHOD: Final = '"method":"tools/call"'
LIST_AND_CALL: Final = '"method":"tools/list",' + METHOD
ARGUMENTS: Final = '"text":"ls"'
CALL: Final = '"params":{"name":"echo"'
HIDDEN: Final = '{"name":"run_shell","arguments":{"command":"rm -rf /"}}'
WHOLE: Final = frozenset({-32600})
UNKNOWN: Final = frozenset({-32601})
ANY: Final = frozenset({-32700, -32600, -32602, -32601, -32020})


def refused(*bodies: Body, codes: frozenset[int] = ANY) -> Case:
    return Case(outcome=REFUSED, bodies=bodies, codes=codes)


def denied(*bodies: Body) -> Case:
    return Case(outcome=DENIED, bodies=bodies)


def passed(*bodies: Body) -> Case:
    return Case(outcome=PASSED, bodies=bodies)


ECHO: Final = {"name": "echo", "arguments": {"text": "ls"}}


def called(name: str, *arguments: Any) -> tuple[Body, ...]:
    """Calls of a tool with whole arguments, in both eras."""
    return each(*(('{"text":"ls"}', json.dumps(said)) for said in arguments), name=name)


CASES: Final[dict[str, Case]] = {
    "J01-top-level": refused(
        *each((METHOD, LIST_AND_CALL), (METHOD, METHOD + ',"method":"tools/list"'), ('"id":1', '"id":1,"id":2')),
        *each((CALL, f'"params":{HIDDEN},{CALL}'), ('"jsonrpc":"2.0"', '"jsonrpc":"1.0","jsonrpc":"2.0"')),
    ),
    "J01-name": refused(*each((NAME, NAMES), (NAME, '"name":"run_shell","name":"echo"'), (NAME, NAME + "," + NAME))),
    "J01-arguments": refused(
        *each((ARGUMENTS, '"text":"ls","text":"rm -rf /"'), ('"arguments":{', '"arguments":{},"arguments":{')),
        *each(('{"text":"ls"}', '{"text":{"a":[{"b":[{"c":1,"c":2}]}]}}')),
    ),
    "J01-meta": refused(
        *(
            Body(raw=text_of(modern=True).replace('"_meta":{', new, 1).encode(), modern=True)
            for new in ('"_meta":{"a":1,"a":2,', '"_meta":{},"_meta":{', f'"_meta":{{"{VERSION}":"2025-06-18",')
        )
    ),
    "J02-escaped": refused(
        *each((NAME, '"name":"echo","n\\u0061me":"run_shell"'), (NAME, '"n\\u0061me":"run_shell","name":"echo"')),
        *each((METHOD, '"me\\u0074hod":"tools/list",' + METHOD), (ARGUMENTS, '"text":"ls","t\\u0065xt":"rm -rf /"')),
        *each((NAME, '"name":"echo","\\u006e\\u0061\\u006D\\u0065":"run_shell"')),
    ),
    "J03-folded": refused(
        *each((NAME, '"name":"echo","Name":"run_shell"'), (METHOD, METHOD + ',"METHOD":"tools/list"')),
        *each((CALL, f'"Params":{HIDDEN},{CALL}'), (CALL, f'"param\u017f":{HIDDEN},{CALL}')),
        *each((ARGUMENTS, '"toolk":1,"tool\u212a":2'), (ARGUMENTS, '"text":"ls","TEXT":"rm -rf /"')),
        *each((NAME, '"Name":"echo"'), (METHOD, '"Method":"tools/call"'), ('"arguments"', '"argument\u017f"')),
    ),
    "J04-disguised": refused(
        *each((NAME, '"name":"echo","name\\u0000":"run_shell"'), (NAME, '"name":"echo","name\u200b":"run_shell"')),
        *each((NAME, '"name":"echo"," name":"run_shell"'), (NAME, '"name":"echo","name ":"run_shell"')),
        *each((METHOD, METHOD + ',"method\\u0000":"tools/list"'), (METHOD, METHOD + ',"\ufeffmethod":"tools/list"')),
        *each((ARGUMENTS, '"text":"ls","text\u200b":"rm -rf /"')),
    ),
    "J05-escaped-and-denied": denied(
        *each(('"run_shell"', '"run\\u005fshell"'), name=DENIED_TOOL),
        *each(('"tools/call"', '"tools\\/call"'), ('"tools/call"', '"\\u0074ools/call"'), name=DENIED_TOOL),
        *each(('"ls"', '"\\u0072m -rf /"'), name=DENIED_TOOL),
    ),
    "J05-escaped-and-allowed": passed(
        *each(('"echo"', '"ech\\u006f"'), ('"tools/call"', '"tools\\/call"'), ('"ls"', '"\\u006cs"')),
        *each(('"method"', '"meth\\u006fd"'), ('"ls"', '"\\ud83d\\ude00"')),
    ),
    "J06-encodings": refused(*encodings()),
    "J07-marks-and-spaces": refused(
        *(
            body
            for start in (b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 2, b"\xc2\xa0", b"\x0b", b"\x0c", b"\x00", b"\xe2\x80\xa8")
            for body in made(lambda t, s=start: s + t.encode())  # type: ignore[misc]
        )
    ),
    "J07-spaces": passed(*made(lambda t: b" \t\r\n" + t.encode() + b" \t\r\n")),
    "J08-bad-utf-8": refused(
        *(
            body
            for bad in (
                b"\xff",
                b"\xc0\xae",
                b"\xed\xa0\x80",
                b"\xed\xa0\x80\xed\xb0\x80",
                b"\xf4\x90\x80\x80",
                b"\xe2\x82",
            )
            for place in (b'"ls"', b'"echo"', b'"text"')
            for body in made(lambda t, b=bad, p=place: t.encode().replace(p, p[:-1] + b + b'"', 1))  # type: ignore[misc]
        ),
        *made(lambda t: t.encode() + b"\xe2\x82"),
    ),
    "J09-lone-surrogates": refused(
        *each(
            ('"echo"', '"\\ud800"'), ('"ls"', '"\\ud800"'), ('"ls"', '"\\udc00\\ud800"'), ('"id":1', '"id":"\\ud800"')
        ),
        *each(('"text"', '"\\ud800"'), ('"ls"', '"a\\uD83Db"')),
    ),
    "J10-no-numbers": refused(
        *(
            body
            for number in (
                "NaN",
                "Infinity",
                "-Infinity",
                "1e400",
                "-1e400",
                "0x10",
                "+1",
                ".5",
                "1.",
                "01",
                "-01",
                "1e",
                "0b1",
            )
            for body in argument(number)
        )
    ),
    "J10-numbers": passed(
        *(body for number in ("-0", "1.0", "-0.0", "1e2", "0.1", "1E-7") for body in argument(number))
    ),
    "J11-integers": passed(
        *(body for number in (2**53 + 1, 2**63, 10**30, -(10**30)) for body in argument(str(number))),
        *(body for number in (2**53 + 1, 2**63, 10**30) for body in changed('"id":1', f'"id":{number}')),
    ),
    "J11-endless-integers": refused(
        *(body for digits in (65, 4_301, 1_000_000) for body in argument("9" * digits)),
        *(body for digits in (65, 4_301, 1_000_000) for body in changed('"id":1', f'"id":{"9" * digits}')),
    ),
    "J12-batches": refused(
        *(
            body
            for frame in (
                "[%s]",
                "[[%s]]",
                " \n[%s]",
                '[{"jsonrpc":"2.0","method":"notifications/initialized"},%s]',
                "[%s,%s]",
            )
            for name in ("echo", DENIED_TOOL)
            for body in made(lambda t, f=frame: f.replace("%s", t).encode(), name)  # type: ignore[misc]
        ),
        *made(lambda t: f"[{t},{t.replace('echo', DENIED_TOOL)}]".encode()),
        *made(lambda _: b"[]"),
        codes=WHOLE,
    ),
    "J13-trailing": refused(
        *made(lambda t: t.encode() + b'{"jsonrpc":"2.0"}'),
        *(made(lambda t: t.encode() + b" x")),
        *made(lambda t: f"{t}\n{t.replace('echo', DENIED_TOOL)}".encode()),
        *made(lambda t: t.encode() + b"\0"),
        *made(lambda t: t.encode() + b","),
        *made(lambda t: t.encode()[:-1]),
    ),
    "J13-not-json": refused(
        *(
            body
            for new in (
                '/*x*/"name":"echo"',
                '//x\n"name":"echo"',
                '#x\n"name":"echo"',
                "'name':\"echo\"",
                'name:"echo"',
                "\"name\":'echo'",
            )
            for body in changed(NAME, new)
        ),
        *each(
            (ARGUMENTS, '"text":"ls",'),
            ('"id":1', '"id":1,,'),
            ('"ls"', '"l\ns"'),
            ('"ls"', '"l\\xs"'),
            ('"ls"', "`ls`"),
        ),
    ),
    "J14-shape": refused(
        *each((METHOD, METHOD + ',"result":{}'), (METHOD, METHOD + ',"error":{"code":1,"message":"x"}')),
        *each(*(('"id":1', f'"id":{value}') for value in ("null", "true", "1.5", "{}", "[]", "1.0", "1e0"))),
        *each(('"jsonrpc":"2.0"', '"jsonrpc":"1.0"'), ('"jsonrpc":"2.0",', ""), ('"jsonrpc":"2.0"', '"jsonrpc":2.0')),
        *each(('"id":1,', "")),
        *each(
            *(
                ('"tools/call"', value)
                for value in ('"tools/call "', '"Tools/Call"', '"tools//call"', '"\\ttools/call"', "null", "1")
            )
        ),
        *each(
            ('{"text":"ls"}', '"{\\"text\\":\\"ls\\"}"'),
            ('{"text":"ls"}', "[]"),
            ('"echo"', '["echo"]'),
            ('"echo"', "null"),
        ),
        *made(lambda _: b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["run_shell",{}]}'),
        *made(lambda _: b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":"run_shell"}'),
        *made(lambda _: b'{"jsonrpc":"2.0","id":1,"result":{"name":"run_shell"}}'),
        *made(lambda _: b'"tools/call"'),
        *made(lambda _: b"null"),
        *each(('"id":1', '"id":1,"extra":1'), (NAME, '"name":"echo","extra":1')),
    ),
    "J15-prototypes-as-members": refused(
        *(
            body
            for word in ("__proto__", "constructor", "prototype")
            for pair in (('"id":1', f'"id":1,"{word}":{HIDDEN}'), (NAME, f'{NAME},"{word}":{HIDDEN}'))
            for body in changed(*pair)
        )
    ),
    "J15-prototypes-as-arguments": passed(
        *(
            body
            for word in ("__proto__", "constructor", "prototype")
            for body in changed(ARGUMENTS, f'"text":"ls","{word}":{{"x":1}}')
        )
    ),
    "J15-prototypes-as-names": denied(
        *(body for word in ("__proto__", "constructor", "prototype", "toString") for body in made(str.encode, word))
    ),
    "J16-depth": passed(*argument(deep("[", "]", 61)), *argument(deep('{"a":', "}", 61))),
    "J16-too-deep": refused(
        *(
            body
            for depth in (65, 1_000, 100_000)
            for pair in (("[", "]"), ('{"a":', "}"))
            for body in argument(deep(*pair, depth))
        ),
        *(body for depth in (65, 1_000, 100_000) for opening in ("[", '{"a":') for body in argument(opening * depth)),
        *made(lambda _: b"[" * 100_000),
        *made(lambda _: b'{"a":' * 100_000),
    ),
    "J17-width": passed(
        *argument("{" + ",".join(f'"key-{number:06}":1' for number in range(100_000)) + "}"),
        *argument("[" + ",".join("1" * 1_000_000) + "]"),
    ),
    "J20-unknown-methods": refused(
        *unknown("tools/execute"),
        *unknown("x/y"),
        *unknown("tasks/update", taskId="1"),
        *unknown("tasks/get", taskId="1"),
        *unknown("rpc.discover"),
        *unknown("sampling/createMessage"),
        *unknown("notifications/initialized"),
        codes=UNKNOWN,
    ),
    "J20-methods-with-a-policy-of-their-own": denied(
        *unknown(
            "completion/complete",
            ref={"type": "ref/prompt", "name": "exfiltrate"},
            argument={"name": "a", "value": "b"},
        ),
        *unknown("resources/read", uri="notes://secret/plan"),
        *tuple(unknown("resources/subscribe", uri="notes://secret/plan"))[1:],
    ),
    "J21-a-call-inside-a-string": passed(*argument(json.dumps(text_of(DENIED_TOOL, modern=False)))),
    "J21-a-meta-tool": denied(
        *called(
            "multi",
            *({"calls": calls} for calls in ([{"name": "run_shell"}], [ECHO, {"name": "run_shell"}], "run_shell")),
            *({"calls": calls} for calls in ({"name": "run_shell"}, {"name": "echo"}, [1], [], None, [[ECHO]])),
            {},
            # another member that some server reads as the call
            {"calls": [ECHO], "name": "run_shell"},
            *({"calls": [ECHO | {key: "run_shell"}]} for key in ("tool", "tool_name", "params", "method")),
            {"calls": [ECHO | {"arguments": '{"name":"run_shell"}'}]},
            {"calls": json.dumps([ECHO])},
            {"calls": [ECHO] * 65},
        ),
        *called(
            "call_tool", *({"name": name} for name in ("RUN_SHELL", "run_shell ", "run\u200bshell", "no_such_tool"))
        ),
        *called("call_tool", {"name": "call_tool", "arguments": {"name": "run_shell"}}, {"name": ["echo"]}),
        *called("call_tool", {"name": "multi", "arguments": {"calls": [ECHO, {"name": "run_shell"}]}}),
    ),
    "J21-a-meta-tool-that-takes-a-text": denied(
        *called(
            "relay",
            *(
                {"request": text}
                for text in (
                    text_of(DENIED_TOOL, modern=False),
                    text_of(modern=False).replace('"params"', '"Params"'),
                    text_of(modern=False).replace('"tools/call"', '"tools/list"'),
                    text_of(modern=False).replace('"name":"echo"', '"name":"run_shell","name":"echo"'),
                    text_of(modern=False) + " " + text_of(DENIED_TOOL, modern=False),
                    f"[{text_of(modern=False)}]",
                    json.dumps(text_of(modern=False)),
                    "",
                    7,
                )
            ),
            {"request": json.loads(text_of(modern=False))},
        ),
    ),
    "J21-a-meta-tool-that-may": passed(
        *called("multi", {"calls": [ECHO]}, {"calls": [ECHO, {"name": "get_customer", "arguments": {"number": 1}}]}),
        *called("call_tool", ECHO, {"name": "multi", "arguments": {"calls": [ECHO]}}),
        *called("relay", {"request": text_of(modern=False)}),
    ),
    "J22-names-that-look-alike": denied(
        *(
            Body(raw=body.raw, modern=body.modern, name=name, who=who)
            for name in (
                "run\u200bshell",
                "run_shell\u200b",
                "\uff52\uff55\uff4e_shell",
                "run_sh\u0435ll",
                "RUN_SHELL",
                "run_shell ",
            )
            for who in ("alice", "carol")
            for body in made(str.encode, name)
        ),
        *made(str.encode, "cafe\u0301"),
        *made(str.encode, "ECHO"),
        *made(str.encode, "ech\u043e"),
        *made(str.encode, "echo\u200b"),
    ),
    "J22-the-name-as-it-is-written": passed(*made(str.encode, "caf\u00e9")),
}
