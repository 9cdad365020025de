"""Keys of sessions are stable, and never the same for different owners or names."""

from extproc.core.audit.lanes import Lane, id_of, key_of, lane_of, number_of, owner_of, place_in_lane

OWNER = ("i", "s", "server", "agent", "1")


def test_the_id_of_a_session_is_the_beginning_of_its_key():
    key = key_of(OWNER, "d")
    assert id_of(key) == (key & ((1 << 64) - 1)).to_bytes(8, "big").hex()[:12]
    assert {len(id_of(key_of(OWNER, str(number)))) for number in range(50)} == {12}


def test_keys_differ_wherever_anything_differs():
    others = [key_of((*OWNER[:place], "x", *OWNER[place + 1 :]), "d") for place in range(5)]
    others += [key_of(OWNER, "e"), lane_of(OWNER), number_of("d")]
    assert len({key_of(OWNER, "d"), *others}) == 9


def test_an_owner_has_a_client_only_where_the_call_names_no_session():
    event = {
        "principal": {"issuer": "i", "subject": "s"},
        "server": "server",
        "client": {"name": "agent", "version": 1},
    }
    assert owner_of(event, named=False) == OWNER
    assert owner_of(event, named=True) == ("i", "s", "server", "", "")
    assert owner_of({"principal": "x", "client": []}, named=False) == ("", "", "", "", "")


def test_what_has_no_time_comes_first():
    assert place_in_lane({"at": "x"}) < place_in_lane({"at": 1})


def test_a_trace_goes_before_nearness_and_both_before_a_new_session():
    lane = Lane()
    places = [
        (0, "t", 1),
        (1, "u", 2),
        (100 * 60 * 10**9, "t", 3),
        (101 * 60 * 10**9, "", 4),
        (200 * 60 * 10**9, "", 5),
    ]
    found = [lane.place(at=at, ends=at, trace=trace, begins=begins) for at, trace, begins in places]
    assert found == [1, 1, 1, 1, 5]
