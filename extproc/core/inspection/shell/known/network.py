"""Commands that talk to the network by their nature; curl, wget and raw connections have rules of their own."""

from typing import Final

__all__ = ["NETWORK"]

NETWORK: Final = (
    """
    dog|doggo|jwhois|geoiplookup|avahi-browse|avahi-resolve|dns-sd|ntpq|snmpwalk|snmpget : query net
    lynx|w3m|links|elinks|browsh|yt-dlp|youtube-dl|gallery-dl|speedtest : query net
    ping|ping6|fping|arping|traceroute|traceroute6|tracepath : query net
    tracepath6|mtr|dig|drill|kdig|host|nslookup|whois : query net
    speedtest-cli|iperf|iperf3|httping|tcptraceroute : query net
    testssl|testssl.sh|sslscan|ldapsearch|showmount : query net
    grpcurl : mutate net
    . * list|describe : query net
    . list|describe : query net
    telnet|ftp|tftp|sftp|lftp|ncftp|rlogin : admin net
    rexec|smbpasswd|mount.nfs|mount.cifs|sshfs|curlftpfs|vncviewer|rdesktop : admin net
    aria2c|axel|wget2|httrack|lwp-download|GET|POST : mutate net
    HEAD|lwp-request|fetch|croc|wormhole|transmission-cli|rtorrent : mutate net
    ngrok|cloudflared|localtunnel|lt|bore|frpc|chisel : admin net
    sshuttle|tailscale|tor|openvpn|wg-quick|stunnel|pppd|slirp4netns : admin net
    rpcinfo|rusers|sntp : query net
    rpcinfo -d|-b : admin net
    sntp -s|-S|-j : admin net
    smbclient : admin net
    . ^-L|--list : query net
    lynx -cmd_script|-editor : admin
    yt-dlp|youtube-dl --exec|--downloader|--external-downloader : destroy
    yt-dlp|youtube-dl|gallery-dl : mutate net
    grpcurl -d : mutate net
    host|dig|nslookup takes -t -c -p -q -x -k -b -f
    dig -f : admin net
    nmap|masscan|zmap|rustscan|tcpdump|tshark|ngrep|dumpcap|ettercap|bettercap|arpspoof|hydra|john|hashcat : admin net
    sqlmap|nikto|gobuster|ffuf|wfuzz|dirb|feroxbuster|responder|msfconsole|msfvenom|aircrack-ng|airmon-ng : admin net
    tcpdump -z|--postrotate-command : destroy net
    nmap --script|--interactive : admin net
    ssh-copy-id|ssh-add|ssh-agent : admin net
    ssh-add ^-l|-L : query
    mail|mailx|mutt|sendmail|msmtp|swaks|ssmtp|exim|postqueue|postsuper : admin net
    postsuper -d : destroy
    aria2c --on-download-complete|--on-download-start|--conf-path : destroy
    tailscale status|ip|ping|version|netcheck|whois : query net
    . logout|down : destroy net
    pwncat|msfvenom|netsed|chisel|ptunnel|iodine|dnscat|dnscat2 : destroy net
    """,
)
