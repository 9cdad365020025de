"""Every bound of the core, with its reason.

Bounds on what is parsed are refusals, never truncation: a truncated body is not an empty body.
"""

from typing import Final

__all__ = [
    "MAX_ARGUMENT_EVENT_BYTES",
    "MAX_BODY_BYTES",
    "MAX_CALL_DEPTH",
    "MAX_CONTAINERS",
    "MAX_DEPTH",
    "MAX_DETECTOR_WORDS",
    "MAX_HANDLE_CHARS",
    "MAX_ID_CHARS",
    "MAX_INNER_CALLS",
    "MAX_INTEGER_DIGITS",
    "MAX_JSON_RESPONSE_BYTES",
    "MAX_KEEP",
    "MAX_KEY_SET_BYTES",
    "MAX_LIST_TTL_MS",
    "MAX_MASKING_ROUNDS",
    "MAX_MASKING_WORK",
    "MAX_METHOD_CHARS",
    "MAX_NAMED_CHARS",
    "MAX_NAME_CHARS",
    "MAX_PATH_CHARS",
    "MAX_PATH_STEPS",
    "MAX_PATTERN_CHARS",
    "MAX_PAYLOAD_EVENT_BYTES",
    "MAX_POLICY_BYTES",
    "MAX_POLICY_DEPTH",
    "MAX_QUOTED_CHARS",
    "MAX_REPLACE_CHARS",
    "MAX_SHELL_BYTES",
    "MAX_SHELL_OPERATORS",
    "MAX_SHELL_READ_CHARS",
    "MAX_SPIFFE_CHARS",
    "MAX_SQL_CALLS_OPEN",
    "MAX_SQL_CHARS",
    "MAX_SQL_OPEN",
    "MAX_SQL_QUERIES_OPEN",
    "MAX_SQL_STATEMENTS",
    "MAX_SQL_TOKENS",
    "MAX_SQL_TRIED_OPEN",
    "MAX_SQL_WRITTEN_OUT_OPEN",
    "MAX_SSE_EVENT_BYTES",
    "MAX_STATE_CHARS",
    "MAX_SUBJECT_BYTES",
    "MAX_TEXT_DEPTH",
    "MAX_TOKEN_CHARS",
    "MAX_UNPACKED_BYTES",
    "MIN_RSA_BITS",
    "RELEASE_PIECE_BYTES",
    "TOKEN_SKEW_SECONDS",
]

MAX_BODY_BYTES: Final = 4 << 20
"""A request body. The Python SDK's server takes 4 MiB; Envoy's buffer refuses more with 413 before we see it."""
MAX_DEPTH: Final = 64
"""Nesting of JSON. orjson encodes 254 levels, CEL crashes on deep data; no MCP message comes near 64."""
MAX_CONTAINERS: Final = 100_000
"""Objects and arrays of one JSON text. Looking at a million small ones would hold a worker's loop for 0.4 s."""
MAX_INTEGER_DIGITS: Final = 64
"""Digits of an integer. Parsing decimal digits is quadratic; CPython refuses above 4,300."""
MAX_METHOD_CHARS: Final = 128
MAX_NAME_CHARS: Final = 4096
"""A tool, prompt or URI. The specification asks for at most 128 characters of a tool; URIs are longer."""
MAX_ID_CHARS: Final = 4096
"""A JSON-RPC string id; ids come back in every reply and event."""
MAX_HANDLE_CHARS: Final = 4096
"""A sealed session id: shorter than Envoy's default header limit of 60 KiB by far."""
MAX_TOKEN_CHARS: Final = 16384
"""A bearer token; a larger one would not fit the header limits of common proxies."""
MAX_STATE_CHARS: Final = 64 << 10
"""A sealed ``requestState``; with an upstream's own state inside."""
MAX_JSON_RESPONSE_BYTES: Final = 8 << 20
"""A JSON response that must be rewritten is collected up to here; a larger one is withheld."""
MAX_SSE_EVENT_BYTES: Final = 1 << 20
"""One event of a stream. The Python SDK's client reads 1 MiB per event."""
MAX_LIST_TTL_MS: Final = 60_000
"""A filtered list may be kept this long by the client; a policy change is enforced at the call anyway."""
MAX_ARGUMENT_EVENT_BYTES: Final = 16 << 10
"""Arguments kept in an audit event; a larger value is cut there and its digest kept."""
MAX_PAYLOAD_EVENT_BYTES: Final = 64 << 10
"""A result kept in an audit event; a larger value is cut there and its digest kept."""
RELEASE_PIECE_BYTES: Final = 64 << 10
"""A body message to Envoy: processing_mode.proto asks for at most 64 KiB in FULL_DUPLEX_STREAMED."""
MAX_SUBJECT_BYTES: Final = 1024
"""A token's subject, group or role; OpenID Connect allows 255 bytes of a subject."""
MAX_SPIFFE_CHARS: Final = 2048
"""A SPIFFE id (SPIFFE-ID section 2.3)."""
MAX_KEY_SET_BYTES: Final = 1 << 20
"""A JWK set; real ones hold a few keys of 2 KiB, with certificates."""
MIN_RSA_BITS: Final = 2048
"""An RSA key that may sign tokens (RFC 7518 section 3.3)."""
TOKEN_SKEW_SECONDS: Final = 30.0
"""How far two honest clocks may differ, the same for exp, nbf, iat and the token's age."""
MAX_POLICY_BYTES: Final = 1 << 20
"""A policy file. Reading YAML costs about 2 µs per byte at worst; real policies are a few KiB."""
MAX_POLICY_DEPTH: Final = 24
"""Nesting of a policy file; the deepest key of the format stands at 7."""
MAX_QUOTED_CHARS: Final = 200
"""A name that a client sent, quoted back in a sentence."""
MAX_KEEP: Final = 4
"""Characters that ``keep_last`` may leave; more of a card number or an account could be completed by trying."""
MAX_REPLACE_CHARS: Final = 100
"""What an operator writes in the place of a value."""
MAX_PATTERN_CHARS: Final = 1000
"""A pattern of an operator's detector; what RE2 makes of one grows with it."""
MAX_DETECTOR_WORDS: Final = 1000
"""Words of an operator's detector."""
MAX_PATH_CHARS: Final = 256
"""A field path of a masking rule."""
MAX_PATH_STEPS: Final = 16
"""Steps of a field path; every step that is open in a document costs one set member at each of its nodes."""
MAX_SHELL_BYTES: Final = 4 << 10
"""A command line. The parser is quadratic on unfinished pipelines and arrays; what people type is below 1 KiB."""
MAX_SHELL_OPERATORS: Final = 512
"""Pipes, separators, redirects and brackets of a command line, which is what the parser's worst inputs are made of."""
MAX_SHELL_READ_CHARS: Final = 32 << 10
"""All texts read for one command line: itself, and the shell code in it (`bash -c`, `eval`, `ssh host …`)."""
MAX_UNPACKED_BYTES: Final = 1 << 20
"""What compressed bytes in a response may unpack to and still be searched; more counts as not searched."""
MAX_TEXT_DEPTH: Final = 5
"""Texts inside of texts: JSON in a string of JSON, or base64 in either. Real results have one or two."""
MAX_MASKING_ROUNDS: Final = 8
"""Searches of one text; each finds only what the masks of the one before uncovered, and real texts need two."""
MAX_NAMED_CHARS: Final = 64 << 10
"""Characters of one message that are read for names and places, which takes tens of ms for each thousand of them."""
MAX_MASKING_WORK: Final = 10_000_000
"""What masking one message may cost, in units of ``redaction.work``, about a microsecond each. Eight MiB of rows full
of personal data take less with every detector on (`make bench-worst`)."""

MAX_INNER_CALLS: Final = 64
"""Calls that one call of a tool may make of others, all depths together; each is judged and counted by itself."""
MAX_CALL_DEPTH: Final = 3
"""Tools that call tools, inside of each other. One that passes a batch on to a hub has two."""

MAX_SQL_CHARS: Final = 64 << 10
"""SQL longer than this is not read: what parsing takes grows with it, to tenths of a second here."""
MAX_SQL_TOKENS: Final = 8_000
"""SQL of more tokens is not read, nor of a quarter of that where every dialect is tried."""
MAX_SQL_OPEN: Final = 8
"""So many joins may wait for their condition: what the parser tries doubles with each."""
MAX_SQL_TRIED_OPEN: Final = 6
"""So many calls by the name of a type may stand inside of each other: it doubles with each too, and a text may hold
hundreds of such nests."""
MAX_SQL_WRITTEN_OUT_OPEN: Final = 4
"""So many calls that the parser writes out may stand inside of each other: the arguments of each up to three times."""
MAX_SQL_CALLS_OPEN: Final = 16
"""So many calls, or types, may stand inside of each other: what else doubles with each would still end in a second."""
MAX_SQL_QUERIES_OPEN: Final = 32
"""So many queries may stand inside of each other: in some dialects the time grows with the square of them."""
MAX_SQL_STATEMENTS: Final = 64
"""A script of more statements is not read."""
