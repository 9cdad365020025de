"""Commands that run the command in their arguments.

``names is traits`` in a line, ``.`` for the names before; ``takes`` and ``flags`` as in the rules. The traits:
``admin`` where the command runs with other rights or elsewhere, ``net``, ``assigns`` where ``NAME=value`` may stand
before it, ``skip=N`` operands before it, ``joins`` where the words are joined and read by a shell again, ``shell``
where a shell reads standard input without one, ``code=-c`` where the value of an option is shell code, ``splits``
where the words behind that belong to it, ``writes=-o`` where the value of an option is a file that it writes.
"""

from typing import Final

__all__ = ["WRAPPING"]

WRAPPING: Final = """
    sudo|sudoedit is admin assigns shell
    . takes -u -g -h -p -C -r -t -T -U -D -R --user --group --host --prompt --close-from --chdir --chroot
    . takes --role --type --command-timeout --other-user
    . flags -A -b -E -e -H -i -K -k -l -n -P -S -s -V -v -B -N --preserve-env --login --shell
    . flags --non-interactive --stdin --background --set-home --list
    doas|dzdo|please is admin assigns shell
    . takes -u -C -a
    . flags -L -n -s
    su|runuser is admin shell skip=1 code=-c|--command|--session-command
    . takes -c -s -g -G -w --command --shell --group --supp-group --whitelist-environment --session-command
    . flags - -l -m -p -f -P --login --preserve-environment --fast --pty
    pkexec|run0|sudo-rs is admin
    . takes --user --group --chdir
    . flags --disable-internal-agent --keep-cwd
    gosu|su-exec|setuidgid|chpst is admin skip=1
    setpriv|capsh|sg|newgrp|start-stop-daemon|systemd-run|systemd-nspawn is admin code=-c shell
    chroot|arch-chroot|schroot is admin shell skip=1
    . takes --userspec --groups -u -d -c
    . flags --skip-chdir
    nsenter|unshare is admin shell
    . takes -t --target -S -G -w --setuid --setgid --wd --map-user --map-group
    . flags -a -m -u -i -n -p -U -C -T -F -r -f -Z --all --mount --uts --ipc --net --pid --user
    . flags --cgroup --fork --map-root-user --mount-proc --preserve-credentials --no-fork
    firejail|bwrap|proot|fakeroot|fakechroot is admin
    env|genv is assigns splits code=-S|--split-string
    . takes -u --unset -C --chdir -P -S --split-string
    . flags -i - -0 -v --ignore-environment --null --debug --block-signal --default-signal --ignore-signal
    command|builtin|nohup|noglob|nocorrect is
    . flags -p -v -V
    exec is
    . takes -a
    . flags -c -l
    time is assigns writes=-o|--output
    . takes -f -o --format --output
    . flags -p -v -a --portability --verbose --append --quiet
    nice is
    . takes -n --adjustment
    ionice is
    . takes -c -n -p -P -u --class --classdata
    . flags -t --ignore
    timeout|gtimeout is skip=1
    . takes -s -k --signal --kill-after
    . flags -v --foreground --preserve-status --verbose -p -f
    stdbuf is
    . takes -i -o -e --input --output --error
    setsid is
    . flags -c -f -w --ctty --fork --wait
    chrt is skip=1
    . takes -T -P -D
    . flags -b -f -i -o -r -d -a -v -R
    taskset is skip=1
    . flags -a -c -p --all-tasks --cpu-list
    numactl is
    . takes -m -N -C -p -i -l --membind --cpunodebind --physcpubind --interleave
    caffeinate is
    . takes -t -w
    . flags -d -i -m -s -u
    strace is writes=-o|--output
    unbuffer|catchsegv|linux32|linux64|i386|x86_64|systemd-inhibit|dbus-run-session is
    ltrace is writes=-o|--output
    xvfb-run|rlwrap|choom|prlimit is
    systemd-inhibit takes --what --who --why --mode
    strace takes -e -o -p -s -u -a -E -I -b -S -P -O -X -U
    . flags -f -ff -c -C -t -tt -ttt -T -v -x -xx -y -yy -q -qq -d -D -i -k -n -r -w
    setarch is skip=1
    . flags -R -L -3 -B -F -I -S -T -X -Z
    flock is skip=1 code=-c|--command
    . takes -w -E -c --wait --timeout --conflict-exit-code --command
    . flags -s -x -e -n -u -o -F --shared --exclusive --nonblock --unlock --close --no-fork
    watch is joins
    . takes -n --interval -q -d
    . flags -b -c -e -g -p -t -x -r -w --beep --color --errexit --chgexit --precise --no-title --exec
    . flags --differences
    busybox|toybox|coreutils is
    script is code=-c|--command
    . takes -c -E -I -O -B -T -t -m -o
    . flags -a -e -f -q -V -r --quiet --append --flush --return
    eval|trap is admin joins
    torsocks|torify|proxychains|proxychains4|tsocks|oniux is net admin
    ssh|autossh|slogin|rsh|remsh|mosh|dbclient|et is admin net joins shell skip=1
    . takes -b -B -c -D -E -e -F -I -i -J -L -l -m -O -o -p -Q -R -S -W
    . takes -w -M --ssh --port
    . flags -1 -2 -4 -6 -A -a -C -f -G -g -K -k -N -n -q -s -T -t -tt -V
    . flags -v -vv -vvv -X -x -Y -y
    sshpass is admin net
    . takes -p -f -d -P
    . flags -e -v
    pssh|parallel-ssh|pdsh|clush|dsh|cssh is admin net
    . takes -h -H -l -p -t -w -f -o -e -x -g -u --hosts --host --user --par
    . flags -i -v -b
    entr|watchexec|nodemon|dotenv|aws-vault|tsp|daemonize|daemon|dtach|setlock is admin
    wait-for-it|wait-for-it.sh is net skip=1
    . takes -h -p -t --host --port --timeout
    . flags -q -s --strict --quiet
    wait4x is net skip=2
    hyperfine|concurrently|npx|bunx|pnpx|uvx|run-parts|mispipe|chronic|ts|ifne is admin
"""
