import pytest

from extproc.core.inspection.shell import inspect_shell
from extproc.core.model import Verb

A_HOME = "/home" + "/u"


@pytest.mark.parametrize(
    ("command", "finding"),
    [
        ("rm -rf /", "rm -r on /"),
        ("rm -fr --no-preserve-root /", "rm --no-preserve-root"),
        ("rm --recursive /etc", "rm -r on a system path"),
        ("rm -R ~", "rm -r on a home folder"),
        ("rm -r .", "rm -r on the current or a parent folder"),
        ("rm -rf *", "rm -r on the current or a parent folder"),
        ("rm -rf a", "rm -r on a path outside of temporary folders"),
        (f"rm -rf {A_HOME}/a", "rm -r on a path outside of temporary folders"),
        ("rm -rf $x", "rm -r on a path only known at run time"),
        ("rm -rf /tmp/a b", "rm -r on a path outside of temporary folders"),
        ("rm -rf /tmp/../a", "rm -r on a path outside of temporary folders"),
        ("TMPDIR=/ rm -rf $TMPDIR/a", "rm -r on a path outside of temporary folders"),
        ("rm -rf", "rm -r on a path only known at run time"),
        ("rm $x", "rm on a path only known at run time"),
        ("rm -f /etc/passwd", "rm on a system path"),
        ("rm ~/.bash_history", "rm on the shell's history"),
        ("rm /var/log/a", "rm on a log"),
        ("mv ~ a", "mv of a home folder"),
        ("mv a /dev/null", "mv onto a harmless device"),
        ("mv /etc/a b", "mv on a system path"),
        ("mv -t /etc a", "mv on a system path"),
        ("cp a /etc/b", "cp on a system path"),
        ("cp -t /etc a", "cp on a system path"),
        ("cp --target-directory=/etc a", "cp on a system path"),
        ("cp /dev/null a", "a file emptied"),
        ("cp a /dev/sda", "cp on a device"),
        ("ln -sf /dev/null ~/.bash_history", "ln on the shell's history"),
        ("install -m 755 a /usr/bin/b", "install on a system path"),
        ("install -m 4755 a b", "a set-user-id or set-group-id mode"),
        ("tee /etc/a", "tee on a system path"),
        ("tee -a ~/.ssh/authorized_keys", "tee on a start-up, login or hook file"),
        ("tee /var/log/a", "tee on a log"),
        ("dd if=a of=/dev/sda", "dd on a device"),
        ("dd if=a of=$x", "dd on a path only known at run time"),
        ("truncate -s 0 a", "a file emptied or cut"),
        ("truncate -s0 a", "a file emptied or cut"),
        ("truncate --size=-5 a", "a file emptied or cut"),
        ("truncate -s '<5' a", "a file emptied or cut"),
        ("chmod -R 777 /", "a recursive change of rights on /"),
        ("chmod -R 700 ~", "a recursive change of rights on a home folder"),
        ("chown --recursive a /etc", "a recursive change of rights on a system path"),
        ("chown -R a .", "a recursive change of rights on the current or a parent folder"),
        ("chmod 4755 a", "a set-user-id or set-group-id mode"),
        ("chmod u+s a", "a set-user-id or set-group-id mode"),
        ("chmod g=rxs a", "a set-user-id or set-group-id mode"),
        ("chmod 644 /etc/a", "chmod on a system path"),
        ("tar xf a -C /", "tar on /"),
        ("tar cf /etc/a b", "tar on a system path"),
        ("tar cf a b --to-command=sh", "tar with a program of its own"),
        ("tar -I 'sh -c id' -xf a", "tar with a program of its own"),
        ("tar cf a b --checkpoint=1 --checkpoint-action=exec=sh", "tar with a program of its own"),
        ("tar cf a b --remove-files", "tar removing files"),
    ],
)
def test_harm_lies_in_where_a_command_works(command, finding):
    facts = inspect_shell(command)
    assert finding in facts.findings
    assert facts.verb is Verb.ADMIN


@pytest.mark.parametrize(
    ("command", "verb", "writes"),
    [
        ("rm a b", Verb.MUTATE, ("a", "b")),
        ("rm -f -- -a", Verb.MUTATE, ("-a",)),
        ("rm ./$x", Verb.ADMIN, ("./${x}",)),
        ("rm -rf /tmp/a /var/tmp/b", Verb.MUTATE, ("/tmp/a", "/var/tmp/b")),
        ("rm -rf $TMPDIR/a ${TMPDIR:-/tmp}/b", Verb.MUTATE, ("${TMPDIR}/a", "${TMPDIR}/b")),
        ("rm --help", Verb.QUERY, ()),
        ("mv a b", Verb.MUTATE, ("a", "b")),
        ("mv a ~", Verb.MUTATE, ("a", "~")),
        ("mv -t b a", Verb.MUTATE, ("a", "b")),
        ("cp -r a b c", Verb.MUTATE, ("c",)),
        ("cp -S .x a b", Verb.MUTATE, ("b",)),
        ("ln -s a b", Verb.MUTATE, ("b",)),
        ("tee", Verb.QUERY, ()),
        ("tee /dev/null", Verb.QUERY, ()),
        ("tee a b", Verb.MUTATE, ("a", "b")),
        ("tee -a /var/log/a", Verb.MUTATE, ("/var/log/a",)),
        ("dd if=a", Verb.QUERY, ()),
        ("dd if=a of=b", Verb.MUTATE, ("b",)),
        ("dd if=a of=/dev/null", Verb.QUERY, ()),
        ("dd if=/dev/sda of=b", Verb.ADMIN, ("b",)),
        ("dd $x", Verb.ADMIN, ()),
        ("truncate -s 10M a", Verb.MUTATE, ("a",)),
        ("truncate -s +1 a", Verb.MUTATE, ("a",)),
        ("truncate -r b a", Verb.MUTATE, ("a",)),
        ("chmod +x a", Verb.MUTATE, ("a",)),
        ("chmod -R u+w a", Verb.MUTATE, ("a",)),
        ("chmod 0755 a", Verb.MUTATE, ("a",)),
        ("chown a:b c", Verb.MUTATE, ("c",)),
        ("tar tf a", Verb.QUERY, ()),
        ("tar -tvf a", Verb.QUERY, ()),
        ("tar xzf a", Verb.MUTATE, (".",)),
        ("tar -xf a -C b", Verb.MUTATE, ("b",)),
        ("tar xPf a", Verb.ADMIN, (".",)),
        ("tar czf a b", Verb.MUTATE, ("a",)),
        ("tar", Verb.MUTATE, ()),
        ("tar $x", Verb.MUTATE, ()),
        ("tar cf a b --checkpoint-action=dot", Verb.MUTATE, ("a",)),
        ("uniq a b", Verb.MUTATE, ("b",)),
        ("xxd -r a b", Verb.MUTATE, ("b",)),
        ("sort -o a b", Verb.MUTATE, ("a",)),
    ],
)
def test_what_is_written_is_named(command, verb, writes):
    facts = inspect_shell(command)
    assert (facts.verb, facts.writes) == (verb, writes)
