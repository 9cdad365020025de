"""Commands that make, change and remove files; those with rules of their own stand in the module ``files``."""

from typing import Final

__all__ = ["FILES"]

FILES: Final = (
    """
    touch|mkdir|mkfifo|rmdir|mktemp|tempfile : mutate all
    mkdir|touch takes -m --mode -d --date -r --reference -t
    mktemp takes -p --tmpdir --suffix
    mknod : admin first
    patch|ed : mutate
    split|csplit : mutate
    split --filter : destroy
    dos2unix|unix2dos : mutate all
    unzip : mutate =-d
    zip : mutate first
    . -TT|--unzip-command : destroy
    . -m|--move : destroy
    gzip|gunzip|bzip2|bunzip2|xz|unxz|zstd|unzstd|lz4|unlz4|lzma|unlzma|compress|uncompress|pigz|pbzip2 : mutate all
    gzip|xz|zstd|bzip2 takes -S --suffix -T --threads
    7z|7za|7zr|7zz l|t|i|h : query
    . a|u|x|e|rn : mutate
    . d : destroy
    cpio|pax|ar|unrar|rar|unar : mutate
    unlink : mutate all
    wipe|scrub|nwipe|sfill|sswap|sdmem|trash-empty : destroy all
    bleachbit : admin
    trash|trash-put|gio : mutate all
    fallocate : mutate last
    . takes -l --length -o --offset
    . -p|--punch-hole|-z|--zero-range|-c|--collapse-range : destroy all
    rename|prename|mmv|detox|convmv : mutate
    chattr : admin all
    . takes -v -p
    chgrp : mutate rest
    setfacl : mutate all
    . -R -b|-k|-x : admin all
    setfattr|xattr|chflags : admin rest
    setcap : destroy last
    chcon|restorecon|setfiles : admin
    install|cp takes -m --mode -o --owner -g --group -S --suffix
    open|xdg-open : admin
    pbcopy|xclip|xsel|wl-copy|clip : mutate
    pbpaste|wl-paste : query
    convert|magick|ffmpeg|pandoc|gs|pdftotext|pdftohtml|optipng|jpegoptim|exiftool|sox|dot : mutate
    ffprobe|identify|mediainfo|pdfinfo : query
    gpg|gpg2 ^--list-keys|-k|--verify|--fingerprint|--list-secret-keys|-K|--list-packets : query
    . : admin
    . --delete-keys|--delete-key|--delete-secret-keys|--delete-secret-key|--delete-secret-and-public-key : destroy
    ssh-keygen : mutate =-f
    . -R : mutate
    . -D|-s : admin
    ssh-keyscan : query net
    ln takes -S --suffix
    mv takes -S --suffix
    visudo|vigr|vipw : destroy
    visudo ^-c|--check : admin
    logger|wall|write|mesg|systemd-cat : mutate
    logrotate : admin
    . -f|--force : destroy
    updatedb|mandb|ldconfig|depmod : admin
    sync : query
    """,
)
