from pathlib import Path

import pytest

from extproc.core.inspection.shell import inspect_shell
from extproc.core.inspection.shell.catalogue import canonical, is_known, is_wrapper, judge_of
from extproc.core.model import Verb


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("ls", "ls"),
        ("mkfs.ext4", "mkfs"),
        ("fsck.xfs", "fsck"),
        ("python3.11", "python"),
        ("perl5", "perl"),
        ("RM", "rm"),
        ("Git.exe", "git"),
        ("frob", "frob"),
        ("Frob", "Frob"),
        ("HEAD", "HEAD"),
    ],
)
def test_the_name_in_the_catalogue(name, known):
    assert canonical(name) == known


def test_what_is_in_the_catalogue():
    assert is_known("ls")
    assert is_known("python3.11")
    assert not is_known("frob")
    assert is_wrapper("sudo")
    assert not is_wrapper("ls")
    assert judge_of("frob") is None


@pytest.mark.parametrize(
    "command",
    """
    ls -la; cat a; head -n5 a; tail -f a; wc -l a; sort a; uniq a; cut -f1 a; tr a b; diff a b; stat a; du -sh a; df -h; ps aux
    whoami; id; date; uname -a; env; printenv A; which ls; type ls; echo a; printf a; true; test -f a; sleep 1; seq 3; md5sum a
    grep -r a b; rg a; find . -name a; xargs -n1 echo; awk '{print}' a; sed -n 1p a; jq .a b; less a; man ls; tree; file a
    git log; git diff; git show HEAD; git ls-files; git blame a; git branch; git remote -v; svn status; hg log; gh pr list; gh run list
    docker ps; docker images; docker logs a; docker compose ps; kubectl get pods -n a; kubectl describe pod a; helm list
    systemctl status a; systemctl list-units; journalctl -u a; ip addr show; ss -tlnp; iptables -L; crontab -l; mount; lsblk
    apt list; dpkg -l; rpm -qa; yum info a; brew list; npm ls; pip list; cargo tree; go version; gem list; conda list
    aws s3 ls; aws ec2 describe-instances --region a; gcloud compute instances list; az vm list; terraform plan; vault status
    ping -c1 a; dig a; curl http://a; nc -z a 1; psql -c 'select 1'; redis-cli get a; restic snapshots; borg list a; rclone ls a:
    tar tf a; unzip -l a; gzip -l a; openssl version; xxd a; base64 -d a; zcat a; history; alias; timeout 5 ls; nice ls; time ls
    """.replace("\n", ";")
    .strip("; ")
    .split(";"),
)
def test_reading_commands_are_queries(command):
    facts = inspect_shell(command)
    assert (facts.verb, facts.findings) == (Verb.QUERY, ())


@pytest.mark.parametrize(
    "command",
    """
    touch a; mkdir a; cp a b; mv a b; ln -s a b; rm a; chmod +x a; tee a; gzip a; unzip a -d b; tar xf a; dd if=a of=b; truncate -s 5 a
    git add .; git commit -m a; git push; git pull; git merge a; git checkout a; git stash; git fetch; hg commit; svn update
    docker build .; docker pull a; docker stop a; docker rm a; docker compose up; kubectl apply -f a; kubectl scale deploy a --replicas=2
    helm install a b; aws s3 cp a s3://b; aws ec2 create-tags --x; curl -d a http://e; wget http://e; scp a b:; rsync a b; kill 12
    sort -o a b; split a; patch -p1; sed -i s/a/b/ c; redis-cli set a b; restic backup a; rclone copy a b:; gh issue create
    """.replace("\n", ";")
    .strip("; ")
    .split(";"),
)
def test_changing_commands_are_mutations(command):
    facts = inspect_shell(command)
    assert (facts.verb, facts.findings) == (Verb.MUTATE, ())


@pytest.mark.parametrize(
    "command",
    """
    mkfs /dev/a; wipefs -a /dev/a; fdisk /dev/a; parted /dev/a mklabel gpt; shred /dev/a; blkdiscard /dev/a; cryptsetup luksFormat /dev/a
    lvremove a; zpool destroy a; btrfs subvolume delete a; hdparm --security-erase a /dev/b; nvme format /dev/a; diskutil eraseDisk a b
    shutdown now; reboot; systemctl poweroff; init 6; systemctl stop auditd; systemctl disable sshd; service rsyslog stop; ufw disable
    useradd a; userdel a; usermod -aG sudo a; passwd -l a; chpasswd; visudo; crontab a; crontab -; crontab -r; at now <<< 'rm -r /'
    iptables -F; iptables -P INPUT ACCEPT; nft flush ruleset; ip route flush all; ip link set dev a down; pfctl -d; setenforce 0
    insmod a; modprobe a; rmmod a; auditctl -D; dmesg -C; history -c; journalctl --vacuum-time=1s; logrotate -f a; mkswap a
    docker system prune; docker volume rm a; docker rm -f a; docker compose down -v; kubectl delete pod a; kubectl drain a; helm uninstall a
    terraform destroy; terraform apply -destroy; terraform state rm a; pulumi destroy; vagrant destroy; aws s3 rm s3://a; aws s3 rb s3://a
    aws ec2 terminate-instances; aws rds delete-db-instance; aws s3 sync a s3://b --delete; gsutil rm gs://a; bq rm a; az group delete
    gcloud projects delete a; heroku apps:destroy a; vault secrets disable a; vault kv destroy a; op item delete a; doppler secrets delete a
    npm unpublish a; cargo yank a; gem yank a; dropdb a; redis-cli flushall; mysqladmin drop a; etcdctl del a; kafka-topics --delete
    rabbitmqctl reset; nats stream purge a; restic forget a; borg prune; rclone purge a:; velero delete a; kopia snapshot delete a
    virsh destroy a; qm destroy 1; VBoxManage unregistervm a; lxc delete a; gh repo delete a; gh release delete a; circleci orb delete a
    gitlab-runner unregister; jenkins-cli delete-job a; consul kv delete a; nomad job stop a; rails db:drop; prisma migrate reset
    """.replace("\n", ";")
    .strip("; ")
    .split(";"),
)
def test_destroying_commands_are_findings(command):
    facts = inspect_shell(command)
    assert (facts.verb, facts.destructive) == (Verb.ADMIN, True)


HERE = Path(__file__).parent


@pytest.mark.parametrize("command", (HERE / "destroying.txt").read_text("utf-8").splitlines())
def test_each_rule_that_destroys_is_met_by_a_command(command):
    facts = inspect_shell(command)
    assert (facts.verb, facts.destructive, facts.parsed) == (Verb.ADMIN, True, True)


@pytest.mark.parametrize("command", (HERE / "sparing.txt").read_text("utf-8").splitlines())
def test_the_same_commands_without_what_destroys_are_no_finding(command):
    facts = inspect_shell(command)
    assert (facts.findings, facts.parsed) == ((), True)
