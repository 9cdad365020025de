"""When each frame of a replay comes, and what every key does."""

from extproc.core.audit.playing import Player, frames
from extproc.core.audit.sessions import Call, Session, Streamed

SECOND = 1_000_000_000


def call(at: int, effect: str = "allow", result: str | None = "complete", **more) -> Call:
    given = {"decision": f"d{at}", "method": "tools/call", "targets": (), "verb": "query", "rule": "r", "reason": ""}
    given |= {"status": 200, "duration_ns": SECOND // 2}
    return Call(at=100 + at * SECOND, effect=effect, result=result, **{**given, **more})


def session(*calls: Call) -> Session:
    ends = {"first_at": calls[0].at, "last_at": calls[-1].at}
    return Session(id="s", issuer="i", subject="u", server="db", client="c", calls=calls, **ends)


SHOWN = frames(
    session(
        call(0),
        call(2, "deny", None),
        call(4, masked={"email": 1}),
        call(60),
        call(61, result="complete", duration_ns=None),
    )
)


def places(found) -> list[tuple[int, bool]]:
    return [(frame.number, frame.answers) for frame in found]


def test_calls_and_what_came_of_them_come_in_their_order_of_time():
    assert [(frame.at / SECOND, frame.number, frame.answers) for frame in SHOWN] == [
        (0, 1, False),
        (0.5, 1, True),
        (2, 2, False),
        (4, 3, False),
        (4.5, 3, True),
        (60, 4, False),
        (60.5, 4, True),
        (61, 5, False),
        (61, 5, True),
    ]


def test_no_pause_is_longer_than_it_may_be():
    shown = frames(session(call(0), call(60), call(61)), idle=2 * SECOND)
    assert [frame.at / SECOND for frame in shown] == [0, 0.5, 2.5, 3, 3.5, 4]


def test_the_messages_of_a_streamed_answer_come_at_their_own_times():
    first, second = (
        Streamed(at=100 + at, number=n, message="notification", method="m", size=1)
        for n, at in enumerate((SECOND // 10, SECOND // 5))
    )
    shown = frames(session(call(0, messages=(first, second)), call(9)), idle=SECOND)
    assert [(frame.at / SECOND, frame.said, frame.answers) for frame in shown[:4]] == [
        (0, None, False),
        (0.1, first, False),
        (0.2, second, False),
        (0.5, None, True),
    ]
    assert not any(frame.matters for frame in shown)


def test_frames_come_when_their_time_has_come():
    player = Player(SHOWN, now=7)
    assert places(player.due(7)) == [(1, False)]
    assert player.due(7) == []
    assert player.wait(7) == 0.5
    assert player.wait(7 + SECOND) == 0
    assert places(player.due(7 + 2 * SECOND)) == [(1, True), (2, False)]
    assert not player.ended
    assert len(player.due(7 + 100 * SECOND)) == 6
    assert player.ended
    assert player.wait(7 + 100 * SECOND) is None


def test_twice_as_fast_takes_half_the_time():
    player = Player(SHOWN, now=0, speed=2)
    player.due(0)
    assert player.wait(0) == 0.25
    player.press("+", 0)
    assert player.wait(0) == 0.125
    for _ in range(20):
        player.press("+", 0)
    assert player.speed == 64
    for _ in range(20):
        player.press("-", 0)
    assert player.speed == 0.25
    assert player.wait(0) == 2
    player.press("?", 0)
    assert player.speed == 0.25


def test_nothing_comes_while_it_is_paused_and_it_goes_on_from_there():
    player = Player(SHOWN, now=0)
    player.due(0)
    player.press(" ", SECOND // 4)
    assert player.wait(50 * SECOND) is None
    assert player.due(50 * SECOND) == []
    player.press(" ", 50 * SECOND)
    assert player.wait(50 * SECOND) == 0.25


def test_one_goes_to_the_next_frame_and_back():
    player = Player(SHOWN, now=0)
    player.due(0)
    assert places(player.press("right", 0)) == [(1, True)]
    assert places(player.press("right", 0)) == [(2, False)]
    assert player.wait(0) == 2
    assert places(player.press("left", 0)) == [(1, True)]
    assert places(player.press("left", 0)) == [(1, False)]
    assert places(player.press("left", 0)) == [(1, False)]


def test_one_jumps_to_what_was_blocked_or_masked_and_then_to_the_end():
    player = Player(SHOWN, now=0)
    player.due(0)
    assert places(player.press("n", 0)) == [(2, False)]
    assert places(player.press("n", 0)) == [(3, False)]
    assert places(player.press("n", 0)) == [(5, True)]
    assert player.ended
    assert player.press("right", 0) == []


def test_one_leaves_at_any_time():
    player = Player(SHOWN, now=0)
    player.press("q", 0)
    assert player.ended
    assert player.due(100 * SECOND) == []
    assert Player((), now=0).press("n", 0) == []
