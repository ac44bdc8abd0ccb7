# shellcheck shell=sh
# Sourced by installer/run and installer/test: make sure that Python, its packages and the system
# libraries are there. Sets $checkout and $environment; a ready machine costs one cksum and one readlink.

# shellcheck disable=SC2154 # $here is theirs: the folder of this file
checkout=$(readlink -f -- "$here/..")
NEWEST_PYTHON=14 # 3.14: torch 2.11 has wheels for 3.11 to 3.14

# What Qt's window and the sound output load, and the Debian/Ubuntu package that brings it. Found with ldd over
# the Qt libraries and plug-ins; the packages not named here come as dependencies of these.
WINDOW_LIBRARIES='
libEGL.so.1 libegl1
libGL.so.1 libgl1
libglib-2.0.so.0 libglib2.0-0
libfontconfig.so.1 libfontconfig1
libdbus-1.so.3 libdbus-1-3
libxkbcommon-x11.so.0 libxkbcommon-x11-0
libxcb-cursor.so.0 libxcb-cursor0
libxcb-icccm.so.4 libxcb-icccm4
libxcb-keysyms.so.1 libxcb-keysyms1
libxcb-shape.so.0 libxcb-shape0
libwayland-cursor.so.0 libwayland-cursor0
libwayland-egl.so.1 libwayland-egl1
libportaudio.so.2 libportaudio2
'

say() { printf '%s\n' "$*" >&2; }

# fail WHAT NEXT_STEP
fail() {
    say "Notewright could not be installed: $1. $2"
    exit 1
}

if [ -n "${NOTEWRIGHT_ENVIRONMENT:-}" ]; then
    environment=$NOTEWRIGHT_ENVIRONMENT
elif [ -w "$checkout" ] || [ -w "$checkout/.venv" ]; then
    environment=$checkout/.venv
else
    environment=${XDG_DATA_HOME:-${HOME:-/root}/.local/share}/notewright/venv
fi

# prepare PURPOSE NEED: PURPOSE is run or test; NEED is terminal, window, or window-later
# (the window's libraries are asked for together with others, but their absence alone stops nothing).
prepare() {
    ready=
    key=$(environment_key)
    if [ -x "$environment/bin/python" ] && [ -r "$environment/notewright/ready-$1" ]; then
        read -r ready <"$environment/notewright/ready-$1" || ready=
    fi
    if [ "$ready" = "$key" ]; then
        [ "$2" != window ] || provide_packages "$(missing_libraries)"
        return
    fi
    find_python
    packages=$(missing_venv)
    if [ "$2" = window ] || { [ "$2" = window-later ] && { [ -n "$packages" ] || may_install; }; }; then
        packages="$packages $(missing_libraries)"
    fi
    provide_packages "$packages"
    install_environment "$1" "$key"
    ln -sf "$checkout/installer/run" "$environment/bin/notewright"
}

# One line that changes when the packages asked for change, or the Python below the environment does.
environment_key() {
    printf '%s %s\n' "$(cat "$checkout/pyproject.toml" "$here/constraints.txt" | cksum)" \
        "$(readlink -f -- "$environment/bin/python" || true)"
}

find_python() {
    for python in ${NOTEWRIGHT_PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
        "$python" -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $NEWEST_PYTHON))" \
            2>/dev/null && return
    done
    found=$(python3 --version 2>/dev/null) || found='no Python'
    fail "Python 3.11 to 3.$NEWEST_PYTHON is needed ($found found)" \
        "Type: $(typed_command python3.11 python3.11-venv)"
}

# Debian and Ubuntu pack `venv` apart from Python.
missing_venv() {
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        "$python" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])'
}

missing_libraries() {
    present=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2>/dev/null)
    printf '%s' "$WINDOW_LIBRARIES" | while read -r library package; do
        case $present in *"$library "*) ;; *) [ -z "$library" ] || printf '%s ' "$package" ;; esac
    done
}

may_install() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null
}

# The command line a person types to install these packages, whoever they are.
typed_command() {
    if [ "$(id -u)" -eq 0 ]; then
        printf '%s' "apt-get update && apt-get install -y $*"
    elif command -v sudo >/dev/null; then
        printf '%s' "sudo apt-get update && sudo apt-get install -y $*"
    else
        printf '%s' "su - -c 'apt-get update && apt-get install -y $*'"
    fi
}

# provide_packages "NAME ..."
provide_packages() {
    # shellcheck disable=SC2086 # package names are words
    set -- $1
    [ $# -gt 0 ] || return 0
    command -v apt-get >/dev/null ||
        fail "this system has no apt-get, and these Debian packages are missing: $*" \
            "Install what they are called here, then start again."
    may_install || {
        say "Notewright needs system packages that only an administrator can install. Type this line, then start again:"
        say "    $(typed_command "$@")"
        exit 1
    }
    make_notes_folder
    trap 'say "Stopped. Start again to go on with what is missing."; exit 130' INT TERM
    say "Installing system packages: $*"
    # Heals what an earlier installation left half done when it was killed; otherwise does nothing.
    as_root dpkg --configure -a >>"$environment/notewright/install.log" 2>&1 || :
    say "  reading the package lists"
    apt update || say "  apt-get update failed; trying with the package lists that are here."
    apt install -y --no-install-recommends -o APT::Status-Fd=1 -o Dpkg::Use-Pty=0 "$@" ||
        fail "apt-get install failed ($(last_apt_error))" "Type: $(typed_command "$@")"
    trap - INT TERM
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"
    else
        sudo -n env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"
    fi </dev/null
}

# apt ARGS: run apt-get with its own talk in the log and its progress on the terminal.
apt() {
    {
        rc=0
        # Progress shares standard output: sudo closes every descriptor but the first three.
        as_root apt-get -o DPkg::Lock::Timeout=300 "$@" 2>&1 || rc=$?
        echo "exit:$rc"
    } | {
        shown=-1
        while IFS= read -r line; do
            case $line in
                dlstatus:* | pmstatus:*)
                    rest=${line#*:*:}
                    percent=${rest%%[.:]*}
                    if [ -t 2 ]; then
                        printf '\r\033[K  %s %%  %s' "$percent" "${rest#*:}" >&2
                    elif [ $((percent / 25)) -ne "$shown" ]; then
                        shown=$((percent / 25))
                        say "  $percent %  ${rest#*:}"
                    fi
                    ;;
                exit:*)
                    [ ! -t 2 ] || printf '\r\033[K' >&2
                    exit "${line#exit:}"
                    ;;
                *) printf '%s\n' "$line" >>"$environment/notewright/install.log" ;;
            esac
        done
        exit 1
    }
}

last_apt_error() {
    error=$(sed -n 's/^E: //p' "$environment/notewright/install.log" | tail -n 1)
    printf '%s' "${error:-see $environment/notewright/install.log}"
}

make_notes_folder() {
    if [ -d "$environment" ] && [ ! -d "$environment/notewright" ] && [ -n "$(ls -A "$environment")" ]; then
        fail "'$environment' was made by something else" \
            "Move it away, or choose a folder: NOTEWRIGHT_ENVIRONMENT=~/notewright-env installer/${0##*/}"
    fi
    { mkdir -p "$environment/notewright" 2>/dev/null && [ -w "$environment/notewright" ]; } ||
        fail "the folder '$environment' cannot be written" "Set NOTEWRIGHT_ENVIRONMENT to one that can, and start again."
}

# install_environment PURPOSE KEY
install_environment() {
    make_notes_folder
    # Held by this shell and by the Python below it: one that outlives a killed shell keeps it too.
    exec 9>"$environment/notewright/lock"
    flock -n 9 || {
        say "Another start is installing Notewright; waiting for it."
        flock 9
    }
    "$python" -I "$here/environment.py" "$1" "$checkout" "$environment" || exit $?
    environment_key >"$environment/notewright/ready-$1.part"
    mv -f "$environment/notewright/ready-$1.part" "$environment/notewright/ready-$1"
    exec 9>&-
}

# start_python ARGS: become the environment's Python, with the checkout's code and no one else's.
start_python() {
    unset PYTHONHOME
    export PYTHONPATH="$checkout"
    # -P: a folder named `core` where the user stands must not win over ours.
    exec "$environment/bin/python" -P "$@"
}
