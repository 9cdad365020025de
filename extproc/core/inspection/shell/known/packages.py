"""Package managers, build tools, language tools.

Installing or building runs code that nobody saw, so it is admin; asking what is there is a query.
"""

from typing import Final

__all__ = ["PACKAGES"]

PACKAGES: Final = (
    """
    apt|apt-get|aptitude takes -o -c -t
    . list|search|show|policy|depends|rdepends|changelog|showsrc|why|why-not|moo|help : query
    . -o|--option|-c|--config-file : admin
    . update|download|source : admin net
    . * : admin net
    . --allow-remove-essential|--force-yes : destroy
    apt-cache|dpkg-query|apt-file : query
    apt-mark|apt-key|add-apt-repository|tasksel|dpkg-reconfigure|debconf-set-selections|debootstrap : admin
    dpkg ^-l|-L|-s|-S|-p|-c|-I|--list|--listfiles|--status|--search|--print-avail|--contents|--info|-W : query
    . : admin
    . -P|--purge|--force-all|--force-remove-essential|--force-depends : destroy
    dpkg-deb ^-I|-c|-f|-W|--info|--contents|--field|--show : query
    . : mutate
    rpm ^-q|-qa|-qi|-ql|-qf|-qR|-qc|-qd|--query|-V|-Va|--verify|-K|--checksig|--eval|--showrc : query
    . : admin
    . --nodeps|--justdb : destroy
    yum|dnf|dnf4|dnf5|microdnf|zypper|tdnf flags -y -q -v -C --assumeyes --quiet --refresh
    . list|info|search|repolist|provides|whatprovides|deplist|repoquery|check-update : query net
    . se|if|lr|lu|pa|patterns|packages|patches|what-provides|updateinfo|repoinfo : query net
    . * : admin net
    pacman|yay|paru|pamac|pikaur ^-Q|-Qi|-Ql|-Qo|-Qs|-Qe|-Qm|-Qdt|-Qu|-Si|-Ss|-F|-Fl|-Fy|-T|-Qk|-Qq|-Qqe : query
    . : admin net
    pacman|yay|paru -Rdd|-Rc|-Rnsc|-Rnscdd|-Scc : destroy
    apk info|search|list|version|policy|dot|stats : query net
    . * : admin net
    pkg|port|portmaster|opkg|xbps-install|xbps-remove|emerge|eopkg|swupd|urpmi|guix|slackpkg|synopkg|tlmgr : admin net
    pkg|port|guix|tlmgr|opkg info|search|list|version|show|installed|query|list-installed : query net
    xbps-query|equery|qlist : query
    brew list|ls|info|search|deps|uses|outdated|config : query net
    brew doctor|leaves|desc|home|cat|log|--prefix|--version|commands : query net
    . bundle list|check : query net
    . * : admin net
    . uninstall|remove|rm --zap|--force : destroy
    snap|flatpak list|info|find|search|version|known : query net
    snap|flatpak changes|history|remote-ls|remotes|ps|interface|interfaces : query net
    . * : admin net
    . remove|uninstall --purge|--delete-data|--all : destroy
    nix search|eval|show-derivation|path-info|why-depends|hash|log|ls : query net
    nix|nix-env|nix-build|nixos-rebuild|home-manager|nh|darwin-rebuild : admin net
    nix-collect-garbage : admin
    nix-env ^-q|-qa|--query : query

    npm|pnpm|yarn|bun flags --json --silent -s --parseable --long
    . ls|list|view|info|show|outdated|audit|why|explain|search|root|prefix|bin|ping|whoami|help : query net
    . fund|docs|repo|bugs|licenses|doctor|query|la|ll|find-dupes : query net
    . * : admin net
    npm audit fix : admin net
    . unpublish : destroy net
    pip|pip3|pipx|uv|poetry|pipenv|pdm|hatch|rye|conda|mamba|micromamba|pixi flags -q -v --quiet --verbose
    pip|pip3|pipx|poetry|pdm|conda|mamba|micromamba|pixi list|show|freeze|check|search : query net
    pip|pip3|pipx|poetry|pdm|conda|mamba|micromamba|pixi info|inspect|debug|help : query net
    poetry|conda|mamba|micromamba env list|info|export : query
    uv pip|tool|python|cache list|show|freeze|check|tree|dir|find : query net
    . tree|version : query
    pip|pip3|pipx|uv|poetry|pipenv|pdm|hatch|rye|conda|mamba|micromamba|pixi * : admin net
    conda|mamba|micromamba env remove : destroy
    . remove|uninstall --all : destroy
    conda clean -a|--all : mutate
    gem|bundle|bundler|cargo|go|composer|mvn|gradle|sbt : admin net
    lein|stack|cabal|opam|luarocks|cpan|cpanm|nuget|mix|rebar3 : admin net
    gem list|search|query|info|environment|env|which|contents|dependency|outdated|specification|help : query net
    bundle|bundler list|show|info|outdated|env|platform|check|viz|licenses : query
    . config $ : query
    . config list|get : query
    cargo tree|metadata|search|info|locate-project|pkgid|verify-project|help|version : query net
    . owner : admin net
    . yank : destroy net
    gem yank : destroy net
    go version|env|list|doc|help|vet : query
    . env -w|-u : admin
    . list|vet -toolexec|-vettool|-exec|-C|-modfile|-overlay : admin
    composer show|info|search|licenses|outdated|validate|diagnose : query net
    composer depends|why|prohibits|suggests|fund|audit|about : query net
    cabal|stack|opam list|info|show|path|ls|query : query
    rustup show|which|doc|help|toolchain|target|component : query
    . * : admin net
    . toolchain|target|component list : query
    . toolchain|target|component * : admin net
    . self uninstall : destroy
    nvm|fnm|volta|asdf|mise|pyenv|rbenv|sdk|n|goenv|nodenv|tfenv|jenv|ghcup : admin net
    nvm|fnm|volta|asdf|mise|pyenv|rbenv|nodenv ls|list|current|version : query net
    nvm|fnm|volta|asdf|mise|pyenv|rbenv|nodenv versions|which|where|plugins|ls-remote : query net
    make|gmake|cmake|ninja|meson|bazel|buck|scons|rake|just : admin
    task|ant|tox|nox|pytest|jest|mocha|vitest|phpunit|rspec : admin
    make|gmake ^-n|--dry-run|--just-print|--recon : admin
    gcc|g++|cc|c++|clang|clang++|rustc|javac|ghc|ocamlc : mutate =-o
    fpc|gfortran|nvcc|ld|as|tsc|swiftc|kotlinc|nasm|iverilog : mutate =-o
    gcc|g++|cc|clang -wrapper|-fplugin|-B : destroy
    """,
)
