"""Commands that change the machine: disks, services, users, firewall, kernel, processes."""

from typing import Final

__all__ = ["SYSTEM"]

_PROTECTION: Final = (
    "a-service-that-protects|auditd*|rsyslog*|syslog*|systemd-journald*|journald*|sshd|ssh|sshd.*|ssh.*|firewalld*|ufw*|iptables*|nftables*"
    "|apparmor*|fail2ban*|clamav*|falcon*|crowdstrike*|osqueryd*|wazuh*|ossec*|mdatp*|auditbeat*|filebeat*|packetbeat*"
    "|nessusd*|cbdaemon*|cbagentd*|td-agent*|sysmon*|snort*|suricata*|docker*|containerd*|kubelet*|networking*"
    "|NetworkManager*|systemd-networkd*|systemd-resolved*|dbus*|postgresql*|mysql*|mariadb*|mongod*|redis*|etcd*|pf"
)
"""Services whose loss blinds, opens or cuts off the machine, or takes its data away."""

SYSTEM: Final = (
    """
    mkfs|mke2fs|mkswap|mkdosfs|mkntfs|newfs|newfs_msdos|blkdiscard|sfdisk|cfdisk|cgdisk|luksformat : destroy
    format : admin
    . *: : destroy
    fdisk|gdisk|sgdisk|parted|gparted : destroy
    fdisk|gdisk|sgdisk|parted ^-l|--list|-lu|--print|-p|-v|--version : query
    sfdisk ^-l|-d|--dump|--list|-J|--json|-V|--verify : query
    bcachefs : admin
    . format : destroy
    wipefs : query
    . -a|--all|-o|--offset : destroy
    badblocks : query
    . -w|-n : destroy
    cryptsetup status|isLuks|luksDump|luksUUID|benchmark : query
    . open|luksOpen|close|luksClose|resize|refresh|token : admin
    . luksFormat|erase|luksErase|luksRemoveKey|luksKillSlot|reencrypt|remove : destroy
    lvs|vgs|pvs|lvdisplay|vgdisplay|pvdisplay|lvscan|vgscan|pvscan : query
    lvcreate|vgcreate|pvcreate|lvextend|vgextend|lvchange : admin
    vgchange|lvrename|vgrename|lvconvert|lvresize|pvresize : admin
    lvremove|vgremove|pvremove|lvreduce|vgreduce : destroy
    mdadm ^--detail|-D|--examine|-E|--query|-Q : query
    . : admin
    . --zero-superblock|--stop|-S|--fail|-f|--remove|-r|--create|-C : destroy
    zfs|zpool list|get|status|history|iostat|diff|holds : query
    . status|iostat -c : admin
    . create|set|mount|umount|unmount|share|snapshot|clone|promote|rename|send|receive|recv|import|export : admin
    . add|attach|online|scrub|trim|resilver|upgrade|hold|release|load-key|bookmark : admin
    . destroy|rollback|labelclear|remove|detach|offline|split|replace|clear : destroy
    btrfs subvolume|filesystem|device|scrub|balance list|show|df|usage|stats|status : query
    . * : admin
    . subvolume|device|qgroup delete|remove|destroy : destroy
    xfs_repair|xfs_admin|tune2fs|resize2fs|debugfs|e2image|dumpe2fs|resize_reiserfs|fstrim : admin
    fsck|e2fsck|fsck.* : admin
    fsck|e2fsck -y|-p|-a : destroy
    hdparm|sdparm|smartctl|nvme|blockdev : admin
    hdparm --security-erase|--security-erase-enhanced|--trim-sector-ranges|--write-sector|--make-bad-sector : destroy
    nvme format|sanitize|delete-ns|write-zeroes|write|dsm : destroy
    sg_format|sg_sanitize|flashrom|flash_erase|flashcp|nandwrite : destroy
    sg_raw|fwupdmgr : admin
    diskutil list|info : query
    . * : admin
    . erase*|zeroDisk|randomDisk|secureErase|partitionDisk|reformat|deleteVolume : destroy
    . apfs|cs delete* : destroy
    mount : admin
    . $$ : query
    umount|swapon|swapoff|losetup|kpartx|partprobe|eject|pivot_root|switch_root : admin
    swapon ^-s|--show|--summary : query
    grub-install|update-grub|grub-mkconfig|efibootmgr|bootctl|lilo|dracut|mkinitcpio|update-initramfs|bless : admin
    efibootmgr -B|--delete-bootnum|-O|--delete-bootorder : destroy
    bootctl remove : destroy

    shutdown|reboot|halt|poweroff|kexec|pm-suspend|pm-hibernate|rtcwake : destroy
    telinit|init 0|1|6|s|S|single : destroy
    . : admin
    shutdown -c : admin
    systemctl takes -H --host -M --machine -t --type -p --property -n --lines -o --output --state
    . flags --user --system --no-pager --all -a -l --full --failed -q --quiet --now --runtime --global
    . $ : query
    . status|show|list-*|is-*|cat|get-default|help|show-environment : query
    . start|restart|reload|try-restart|reload-or-restart|enable|reenable|unmask|daemon-reload|daemon-reexec : admin
    . stop|disable|mask|kill|preset|preset-all|edit|link|revert|set-property|set-default|import-environment : admin
    . reset-failed|add-wants|add-requires|set-environment|unset-environment|bind|mount-image|freeze|thaw : admin
    . clean : destroy
    . poweroff|reboot|halt|kexec|soft-reboot|emergency|rescue|isolate|exit|suspend|hibernate|hybrid-sleep : destroy
    . suspend-then-hibernate|switch-root|default : destroy
    . stop|disable|mask|kill PROTECTION : destroy
    service|rc-service|invoke-rc.d * status : query
    service ^--status-all : query
    service|rc-service|invoke-rc.d * * : admin
    . PROTECTION stop|disable : destroy
    chkconfig|update-rc.d|rc-update|sysrc|initctl|launchctl|sc : admin
    chkconfig PROTECTION off : destroy
    . --del : destroy
    update-rc.d * remove|disable : destroy
    rc-update del|delete PROTECTION : destroy
    launchctl list|print : query
    . unload|remove|bootout|disable : destroy
    loginctl|hostnamectl|timedatectl|localectl|resolvectl|networkctl|coredumpctl|machinectl|busctl|udevadm : admin
    loginctl|hostnamectl|timedatectl|localectl|resolvectl|networkctl status|list*|show*|query : query
    hostnamectl|timedatectl|localectl|loginctl|networkctl|resolvectl $$ : query
    loginctl kill-session|kill-user|terminate-* : destroy
    machinectl remove|terminate|kill|poweroff|clean : destroy

    useradd|adduser|groupadd|addgroup|newusers : destroy
    userdel|deluser|groupdel|delgroup|gpasswd : destroy
    usermod|groupmod|chsh|chfn|chage|pw|dscl|sysadminctl|vipw|pwck|grpck|pwconv|pwunconv : admin
    usermod -G|--groups|-a|--append|-u|--uid|-o|--non-unique|-p|--password|-U|--unlock|-L|--lock|-s|--shell : destroy
    pw useradd|userdel|usermod|groupadd|groupdel|groupmod|mod|del|add|lock|unlock : destroy
    dscl * -delete|-create|-passwd|-append : destroy
    passwd : admin
    . ^-S|--status : query
    . -d|--delete|-l|--lock|-u|--unlock|-e|--expire|--stdin|-s : destroy
    chpasswd|chgpasswd : destroy
    chage ^-l|--list : query

    iptables|ip6tables|ebtables|arptables|iptables-legacy|iptables-nft : admin
    iptables|ip6tables|ebtables|arptables ^-L|-S|-nL|-vL|-nvL|-vnL|-Ln|-Lnv|--list|--list-rules : query
    . -F|--flush|-X|--delete-chain|-P|--policy|-Z|--zero : destroy
    iptables-save|ip6tables-save : query
    iptables-restore|ip6tables-restore : destroy
    nft list : query
    . * : admin
    . flush|delete|destroy|reset : destroy
    . -f|--file : destroy
    ufw status|show|version : query
    . * : admin
    . disable|reset|delete : destroy
    . --force : destroy
    firewall-cmd ^--list-all|--state|--get-zones : query
    firewall-cmd ^--list-services|--list-ports|--get-active-zones|--get-default-zone : query
    . : admin
    . --panic-on|--remove-*|--delete-* : destroy
    pfctl|ipfw|npfctl : admin
    pfctl -F|-d : destroy
    ipfw flush|delete : destroy
    ipset list|test|save : query
    . * : admin
    . destroy|flush : destroy

    ip takes -n -netns -family -f
    . flags -4 -6 -br -brief -c -color -j -json -s -d -o -p
    . a|addr|address|l|link|r|route|n|neigh|neighbor|neighbour|ru|rule|m|maddr|mr|mroute|netns|t|tunnel $ : query
    . a|addr|address|l|link|r|ro|route s|sh|sho|show|l|ls|lst|list|g|get : query
    . n|neigh|neighbour|ru|rule|maddr|tunnel|netns s|sh|sho|show|l|ls|lst|list|g|get : query
    . * : admin
    . a|addr|address|r|ro|route|n|neigh|ru|rule f|fl|flush : destroy
    . r|ro|route|ru|rule d|del|delete : destroy
    . l|link s|se|set * down : destroy
    . l|link s|se|set dev * down : destroy
    ifconfig : query
    . * $ : query
    . * * : admin
    . * delete|destroy : destroy
    ifdown|ifup|dhclient|nmcli|iw|iwconfig|brctl|wpa_cli|ethtool|tc|ipvsadm|netplan|networksetup|wg|wg-quick : admin
    ifdown : destroy
    nmcli * s|sh|show|status|list : query
    . * delete|down|off : destroy
    route : query
    . add : admin
    . del|delete|flush : destroy
    arp : query
    . -d|--delete|-s|--set|-f|--file : admin
    ethtool -s|-K|-G|-E|-f : admin
    ss|netstat : query
    ss -K|--kill : destroy
    conntrack ^-L|--dump : query
    . -F|--flush|-D|--delete : destroy

    sysctl : query
    . -w|--write|-p|--load|--system : admin
    . *=* : admin
    insmod|modprobe|rmmod|kldload|kldunload|kextload|kextunload|dkms : destroy
    modprobe ^-n|--dry-run|--show-depends|-c|--showconfig|-D|-R|--resolve-alias : query
    kmod list|static-nodes|help : query
    . load|insert|unload|remove : destroy
    setenforce|aa-disable|aa-teardown|aa-complain|csrutil|spctl|mokutil|semodule|setsebool|apparmor_parser : admin
    setenforce 0|permissive|Permissive : destroy
    aa-teardown : destroy
    csrutil|spctl disable|--master-disable|--global-disable : destroy
    . status|--status : query
    auditctl : admin
    . -D|-d|-W : destroy
    . -e 0 : destroy
    mdatp * : admin
    . config real-time-protection : destroy
    swaplabel|hwclock|ntpdate|chronyc : admin
    alternatives|update-alternatives|locale-gen|dpkg-reconfigure|ldconfig : admin

    kill|pkill|killall|killall5|xkill|skill|snice|renice|prlimit|fuser : mutate
    kill ^-l|-L|--list : query
    killall5|xkill : destroy
    fuser -k|--kill : destroy
    pkill|killall -u|--euid|--user|-U : destroy
    screen ^-ls|-list|-v : query
    tmux ls|list-*|lsp|lsw|lsk|show-* : query
    . ls|list-*|lsp|lsw|lsk -F|-f : admin
    . display|display-message|run|run-shell|if|if-shell : admin
    . new|new-session|attach|a|detach|rename-*|select-* : admin
    . split-window|new-window|neww|source|source-file|set|bind : admin
    . kill-* : destroy
    pm2 ls|list|status|logs|show|describe|monit : query
    . * : admin
    . delete|kill|flush : destroy
    supervisorctl status|tail|avail|pid : query
    . * : admin
    . shutdown|remove|clear : destroy
    atrm : admin
    atq : query
    lpr|lp|lprm|cancel|lpmove : mutate
    lpstat|lpq : query
    quotaon|quotaoff|edquota|setquota|quotacheck : admin
    quota|repquota : query
    qm|pct list|status|config|pending|cpusets : query
    . * : admin
    . destroy|delsnapshot|rollback : destroy
    virsh list|dominfo|dumpxml|domstate|nodeinfo|net-list|pool-list|vol-list|version|capabilities : query
    . * : admin
    . destroy|undefine|*-delete|*-destroy|*-undefine|vol-wipe|reset|managedsave-remove : destroy
    VBoxManage list|showvminfo|showhdinfo : query
    . guestproperty get|enumerate : query
    . * : admin
    . unregistervm|closemedium : destroy
    vagrant status|global-status|version|validate|port|ssh-config : query
    . up|init|reload|suspend|resume|provision|package|plugin|snapshot|rsync|halt : admin
    . destroy : destroy
    . box|snapshot|cloud remove|delete|prune : destroy
    """.replace(" PROTECTION", f" {_PROTECTION}"),
)
