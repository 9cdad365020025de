import pytest

from extproc.core.inspection.shell import inspect_shell
from extproc.core.inspection.shell.words import static
from extproc.core.inspection.shell.wrappers import Wrapper, beginnings, read_wrappers
from extproc.core.model import Verb


@pytest.mark.parametrize(
    "before",
    [
        "sudo",
        "sudo -u root",
        "sudo -uroot",
        "sudo --user=root",
        "sudo -nu root",
        "sudo -E -H",
        "sudo --",
        "sudo A=1",
        "sudo --unknown",
        "sudo --unknown value",
        "sudo env A=1 nice -n 5",
        "doas -u root",
        "env",
        "env -i A=1",
        "env -u A",
        "env -uA",
        "env --",
        "nohup",
        "command",
        "command -p",
        "builtin",
        "exec",
        "exec -a x",
        "time",
        "time -p",
        "nice",
        "nice -n 5",
        "nice -10",
        "ionice -c 2 -n 7",
        "ionice -c2",
        "timeout 5",
        "timeout -s KILL 5s",
        "timeout --signal=KILL 5",
        "stdbuf -o L",
        "stdbuf -oL",
        "setsid -f",
        "chrt -f 5",
        "taskset -c 0",
        "busybox",
        "strace -f -o x",
        "xvfb-run",
        "chroot x",
        "chroot --userspec=a x",
        "nsenter -t 1 -m",
        "unshare -r",
        "flock x",
        "setpriv --reuid=1",
        "systemd-run --scope",
        "caffeinate -i",
        "torsocks",
        "sshpass -p x",
    ],
)
def test_what_a_wrapper_runs_is_judged(before):
    facts = inspect_shell(f"{before} rm -rf /")
    assert "rm -r on /" in facts.findings
    assert facts.commands[0] == before.split()[0]
    assert "rm" in facts.commands


@pytest.mark.parametrize(
    "command",
    [
        "su -c 'rm -rf /'",
        "su root -c 'rm -rf /'",
        "su - root -c 'rm -rf /'",
        "su --command='rm -rf /'",
        "script -c 'rm -rf /' x",
        "script -qc 'rm -rf /'",
        "flock x -c 'rm -rf /'",
        "env -S 'rm -rf /'",
        "env -S'rm -rf /'",
        "env -S 'rm -rf' /",
        "env -S 'A=1' rm -rf /",
        "eval 'rm -rf /'",
        "eval rm '-rf /'",
        "trap 'rm -rf /' EXIT",
        "watch 'rm -rf /'",
        "watch -n 1 rm -rf /",
        "ssh host rm -rf /",
        "ssh host 'rm -rf /'",
        "ssh -p 22 user@host 'rm -rf /'",
        "ssh host -- rm -rf /",
        "ssh host <<< 'rm -rf /'",
        "sudo -i <<< 'rm -rf /'",
        "sg group 'rm -rf /'",
        "nice 'rm -rf /'",
    ],
)
def test_shell_code_of_a_wrapper_is_read(command):
    assert "rm -r on /" in inspect_shell(command).findings


@pytest.mark.parametrize("command", ["curl http://e | ssh host", "echo a | sudo -s", "cat a | su", "cat a | chroot x"])
def test_a_shell_elsewhere_that_is_fed_by_a_pipe_is_a_finding(command):
    assert inspect_shell(command).findings == ("a pipe into sh",)


@pytest.mark.parametrize(
    ("command", "verb"),
    [
        ("sudo ls", Verb.ADMIN),
        ("ssh host ls", Verb.ADMIN),
        ("nohup ls", Verb.QUERY),
        ("env A=1 ls", Verb.QUERY),
        ("env", Verb.QUERY),
        ("exec", Verb.QUERY),
        ("timeout 5 touch a", Verb.MUTATE),
        ("sudo", Verb.ADMIN),
        ("ssh host", Verb.ADMIN),
        ("time -f x ls", Verb.QUERY),
        ("env PATH=. ls", Verb.ADMIN),
        ("command -v rm", Verb.QUERY),
        ("nice --unknown ls", Verb.QUERY),
    ],
)
def test_a_wrapper_adds_what_running_so_adds(command, verb):
    facts = inspect_shell(command)
    assert (facts.verb, facts.findings) == (verb, ())


def test_assignments_of_a_wrapper_are_assignments():
    assert inspect_shell("env LD_PRELOAD=a ls").findings == ("LD_PRELOAD set, which loads other code",)
    assert inspect_shell("sudo LD_PRELOAD=a ls").destructive


def test_asking_where_a_command_is_runs_nothing_but_what_it_would_do_is_still_told():
    assert inspect_shell("command -v git").commands == ("command",)
    assert inspect_shell("command -V git reset --hard").findings == ("git reset --hard",)


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("a b", [0]),
        ("-v a", [1]),
        ("-vv a", [1]),
        ("-n 1 a", [2]),
        ("-n1 a", [1]),
        ("-vn 1 a", [2]),
        ("-vx a b", [1, 2]),
        ("--x=1 a", [1]),
        ("--name 1 a", [2]),
        ("--flag a", [1]),
        ("--x a b", [1, 2]),
        ("-- -v a", [1]),
        ("-5 a", [1]),
        ("- a", [1]),
        ("-x", []),
        ("", []),
        ("-q -r -s -t -u -w -y a b c d e f g h", [7, 8, 9, 10, 11, 12]),
    ],
)
def test_every_reading_of_an_unknown_option_is_a_beginning(text, starts):
    wrapper = Wrapper(takes=frozenset({"-n", "--name"}), flags=frozenset({"-v", "--flag", "-"}))
    found = beginnings(wrapper, [static(word) for word in text.split()])
    assert found[:6] == starts[:6] or set(found) <= set(range(len(text.split())))
    assert bool(found) == bool(starts)


def test_the_table_is_read_line_by_line():
    table = read_wrappers("\n a|b is admin skip=2 code=-c|--code\n . takes -n\n . flags -v\n\n c is\n")
    wanted = Wrapper(
        traits=frozenset({"admin"}), skip=2, code=("-c", "--code"), takes=frozenset({"-n"}), flags=frozenset({"-v"})
    )
    assert table == {"a": wanted, "b": wanted, "c": Wrapper()}
