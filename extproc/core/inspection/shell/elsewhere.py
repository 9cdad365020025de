"""Commands in containers and clusters: what runs there is judged like here, and some options reach the host."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from extproc.core.inspection.shell.arguments import has, operands, values
from extproc.core.inspection.shell.effects import HARMLESS, Effect, finding, joined
from extproc.core.inspection.shell.known.listing import listed
from extproc.core.inspection.shell.places import Place, place
from extproc.core.inspection.shell.scope import Scope
from extproc.core.inspection.shell.words import Word
from extproc.core.inspection.shell.wrappers import Wrapper, beginnings, unwrap

__all__ = ["ELSEWHERE", "run_elsewhere"]

_ENGINES: Final = listed("docker podman nerdctl finch docker-compose podman-compose")
_CLUSTERS: Final = listed("kubectl oc k")
_OTHERS: Final = listed("lxc incus vagrant multipass limactl flyctl fly heroku aws gcloud crictl ctr")
ELSEWHERE: Final = _ENGINES | _CLUSTERS | _OTHERS
_VERBS: Final = listed("run exec rsh debug ssh shell attach console")
_TAKES: Final = listed(
    "-a -e -h -l -m -p -u -v -w -c -n -f -o --add-host --annotation --attach --blkio-weight --cap-add "
    "--cap-drop --cgroupns --cidfile --cpus --cpuset-cpus --cpu-shares --device --dns --entrypoint "
    "--env --env-file --expose --gpus --group-add --health-cmd --hostname --ip --ipc --label "
    "--label-file --link --log-driver --log-opt --mac-address --memory --mount --name --net --network "
    "--network-alias --pid --pids-limit --platform --publish --pull --restart --runtime "
    "--security-opt --shm-size --stop-signal --storage-opt --sysctl --tmpfs --ulimit --user --userns "
    "--uts --volume --volumes-from --volume-driver --workdir --detach-keys --container --namespace "
    "--image --overrides --index --project --profile --file --context --target --command-timeout "
    "--zone"
)
_FLAGS: Final = listed(
    "-d -i -t -it -ti -T -P -q --rm --detach --init --interactive --tty --privileged --read-only "
    "--no-healthcheck --publish-all --quiet --stdin --no-deps --build --no-TTY --service-ports "
    "--use-aliases --command --sig-proxy --oom-kill-disable --no-TTY --tls -it --leave-stdin-open"
)
_WRAPPER: Final = Wrapper(traits=frozenset({"admin", "net", "shell"}), skip=1, takes=_TAKES, flags=_FLAGS)
_HOST_SPACES: Final = re.compile(r"--(?:pid|ipc|uts|userns)=host|--privileged(?:=true)?")
_HOST_RIGHTS: Final = re.compile(
    r"(?:CAP_)?(?:ALL|SYS_ADMIN|SYS_PTRACE|SYS_MODULE|SYS_RAWIO|DAC_READ_SEARCH)", re.IGNORECASE
)
_SOURCE: Final = re.compile(r"(?:^|,)(?:source|src)=([^,]*)")


def run_elsewhere(name: str, words: Sequence[Word], scope: Scope, takes: frozenset[str]) -> Effect | None:
    """The effect of ``docker run``, ``kubectl exec`` and the like; None for another command or subcommand."""
    if name not in ELSEWHERE:
        return None
    verb = next((word for word in operands(words, takes)[:2] if word.text in _VERBS), None)
    if verb is None:
        return None
    behind = list(words[words.index(verb) + 1 :])
    inner = unwrap(_WRAPPER, behind, scope)
    codes = [code for code in values(behind, ("--command", "--entrypoint")) if name not in _CLUSTERS]
    codes += [code for code in values(behind, ("-c",)) if name == "vagrant"]
    starts = beginnings(_WRAPPER, behind)
    options = behind[: starts[-1]] if starts else behind
    return joined(inner, *(scope.read(code, scope) for code in codes if code.text), _host(name, options))


def _host(name: str, words: Sequence[Word]) -> Effect:
    """The options that hand the host to the container."""
    if name not in _ENGINES:
        overriding = has(words, ("--overrides",)) and any(
            "host" in word.text for word in values(words, ("--overrides",))
        )
        return finding(f"{name} with settings that reach the host") if overriding else HARMLESS
    texts = [word.text for word in words]
    spaces = [f"{first}={second}" for first, second in pairwise(texts)] + texts
    mounts = [value.text.partition(":")[0] for value in values(words, ("-v", "--volume"))]
    mounts += [found[1] for value in values(words, ("--mount",)) for found in _SOURCE.finditer(value.text)]
    rights = [value.text for value in values(words, ("--cap-add",))]
    reached = (
        any(_HOST_SPACES.fullmatch(text) for text in spaces)
        or any(_HOST_RIGHTS.fullmatch(right) for right in rights)
        or any(place(Word(mount)) in {Place.ROOT, Place.SYSTEM, Place.DEVICE, Place.HOME} for mount in mounts)
        or any(mount.endswith(".sock") for mount in mounts)
    )
    return finding(f"{name} with the host opened to the container") if reached else HARMLESS
