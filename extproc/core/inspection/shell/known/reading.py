"""Commands that only read, and the options with which some of them do not.

The list is an allow-list: a name is here when no operand and no option of it, but for those named below it, writes,
runs another program or changes a setting.
"""

from typing import Final

from extproc.core.inspection.shell.known.listing import listed

__all__ = ["BUILTINS", "READING"]

BUILTINS: Final = listed(
    ": true false cd pwd pushd popd dirs echo test [ [[ exit return break continue shift wait getopts "
    "read times type jobs caller local declare typeset readonly export unset let shopt set ulimit "
    "umask printf suspend disown fg bg help logout"
)
"""What the shell itself does; none outlives the command line by itself."""

READING: Final = (
    """
    cat|tac|head|tail|nl|rev|wc|cut|paste|tr|fold|expand|unexpand|fmt|column|comm|join|tsort|look|pr : query
    cmp|diff3|colordiff|md5sum|sha1sum|sha224sum|sha256sum|sha384sum|sha512sum|b2sum|b3sum|cksum|sum : query
    md5|shasum|crc32|base32|basenc|od|hexdump|hd|strings|stat|du|df|free|uptime|whoami|id|groups|users|who|w : query
    last|finger|pinky|logname|tty|cal|ncal|arch|nproc|lscpu|lsblk|lsusb|lspci|lsmod|lsns|lsipc|lslocks : query
    bat|batcat|delta : query
    . --pager|--config-file|--config-dir : admin
    cowsay|cowthink : query
    . -f : admin
    lastlog : query
    . -C|--clear|-S|--set : admin
    which|whereis|whatis|apropos|tldr|cheat|egrep|fgrep|zgrep|zegrep|bzgrep|xzgrep|zcat|bzcat|xzcat|zstdcat : query
    figlet|toilet|lolcat|fortune|hexyl|lsd|exa|eza|zipinfo|zless|zmore|lsinitramfs|modinfo : query
    pciconf|kldstat|swapinfo|vm_stat|pagesize|isutf8|csvstat|csvlook|csvcut|csvgrep|csvsort|csvjoin : query
    units|dpkg-query|apt-cache|rpmkeys|pacinfo|pactree|locate|mlocate|plocate|uuidgen|mcookie : query
    xsv : query
    . -o|--output : mutate =-o|--output
    . split|partition|index|fixlengths|fmt : mutate
    ptx : query
    . -G|--traditional : mutate
    systemd-analyze : query
    . set-log-level|set-log-target|log-level|log-target|service-watchdogs * : admin
    sockstat|systemd-cgls|systemd-cgtop|systemd-detect-virt|lsappinfo : query
    findmnt|blkid|mountpoint|lsb_release|hostid|runlevel|tput|infocmp|ipcalc|sipcalc : query
    rgrep|dir|vdir|ascii|pathchk : query

    lsmem|lsattr|lsof|lslogins|getfacl|getfattr|getcap : query
    basename|dirname|realpath|readlink|expr|factor|seq|numfmt : query
    yes|sleep|printenv|locale|getconf|getent|ps|pgrep : query
    pidof|pstree|pmap|vmstat|iostat|mpstat|sar|slabtop|numastat : query
    sar -o : mutate =-o
    lz4cat|gzcat|zdiff|zcmp|xzdiff|bc|jq|gron : query
    htmlq|pup|nm|objdump|readelf|size|otool|tokei|cloc|scc : query
    nm|objdump --plugin : admin
    cloc --extract-with|--config|--read-lang-def : admin
    cloc --out|--report-file : mutate =--out|--report-file
    scc -o|--output : mutate =-o|--output
    namei|lsscsi|lshw|dmidecode|inxi|acpi|mdls|mdfind|sw_vers : query
    lshw|dmidecode -dump|--dump-bin : mutate
    neofetch|fastfetch|screenfetch : admin
    nvidia-smi : query
    . -r|--gpu-reset|-pm|-pl|-c|-e|-ac|-rac|-mig|-lgc|-rgc|-p|-dm|-fdm|-am|-caa|--persistence-mode|--power-limit : admin
    . -f|--filename : mutate =-f|--filename
    sensors : query
    . -s|--set : admin
    ls : query
    . takes -I -w -T
    grep|zipgrep|pdfgrep|ugrep : query
    grep takes -e -f -m -A -B -C
    rg|ripgrep : query
    rg --pre|--hostname-bin|--search-zip-bin : admin
    ag|ack : query
    . --pager|--ackrc|--output : admin
    fzf : admin
    echo|printf : query

    sort : query
    . -o|--output : mutate =-o|--output
    . --compress-program : destroy
    uniq : query
    . takes -f -s -w
    . * $ : query
    . * * : mutate rest
    shuf : query
    . -o|--output : mutate =-o|--output
    tee : mutate all
    xxd : query
    . takes -c -g -l -s -o -n -R
    . * $ : query
    . * * : mutate rest
    diff|sdiff : query
    sdiff -o|--output : mutate =-o|--output
    base64 : query
    . -o|--output : mutate =-o|--output
    tree : query
    . -o : mutate =-o
    . -R : mutate
    file : query
    . -C|--compile : mutate
    date : query
    . -s|--set : admin
    hostname : query
    . takes --file
    . * : admin
    . -F|--file|-b|--boot : admin
    uname : query
    dmesg : query
    . -C|--clear|-c|--read-clear : destroy
    . -n|--console-level|-D|--console-off|-E|--console-on : admin
    history : query
    . -c|-d|-w|-a : destroy
    fc : admin
    . ^-l : query
    alias $ : query
    tput|clear|reset : query
    stty : query
    top|htop|btop|atop|iotop|glances : query
    less|more|most : query
    . -o|-O|--log-file|--LOG-FILE|-k|--lesskey-file|--lesskey-src|--lesskey-content|+ : admin
    man|info : query
    . -P|--pager|-H|--html|-X|--gxditview|-C|--config-file|-M|--manpath|-l|--local-file|-t|-T : admin
    journalctl : query
    . --vacuum-size|--vacuum-time|--vacuum-files : destroy
    . --cursor-file : mutate =--cursor-file
    . --rotate|--flush|--sync|--relinquish-var|--update-catalog|--setup-keys : admin
    zless|zmore : query
    unzip ^-l|-v|-Z|-Z1|-t|-lv : query
    mapfile|readarray : query
    . -C : destroy
    hash : query
    . -p : destroy
    gzip|xz|bzip2|zstd|lz4|gunzip ^-l|--list|-t|--test|-dc|-cd|-tv|-lv : query
    openssl version|dgst|x509|asn1parse|crl|ciphers|speed|rand|verify|list|errstr|prime|help : query
    . -out|-writerand|-engine|-provider-path : admin =-out
    . s_client|s_time : admin net
    xmllint : query
    . -o|--output : mutate =-o|--output
    yq : query
    . -i|--inplace|--in-place : mutate all
    tomlq|xq : query
    . -i|--in-place : mutate all
    dasel : query
    . put|delete : mutate
    fd|fdfind : query
    . takes -e -E -t -d -S
    iconv : query
    . -o|--output : mutate =-o|--output
    lastb|faillog : query
    faillog -r|--reset|-m|--maximum|-l|--lock-secs : admin
    column|pr : query
    ldd : admin
    """,
)
