#!/usr/bin/env bash
# The window compiles with the other version of Dear ImGui, too: Debian 12 has 1.86, Debian 13 and Ubuntu 24.04 have
# 1.90. Its headers are unpacked from Debian's package, not installed; nothing is linked or run.
set -euo pipefail

skip() { echo "skipped: $1"; exit 77; }
root=${WHORL_SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
pkg-config --exists imgui glfw3 freetype2 2>/dev/null || skip "needs the explorer's packages"
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || skip "needs apt-get and dpkg-deb"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

here=$(pkg-config --modversion imgui)
case $here in
    1.8[0-6]*) suite=trixie ;;
    *) suite=bookworm ;;
esac

# apt-get with lists and a cache of its own, which leave this machine's as they are.
mkdir -p "$scratch"/{lists,cache,unpacked}
echo "deb http://deb.debian.org/debian $suite main" >"$scratch/sources.list"
options=(-qq -o "Dir::Etc::SourceList=$scratch/sources.list" -o Dir::Etc::SourceParts=- -o "Dir::State::Lists=$scratch/lists"
    -o "Dir::Cache=$scratch/cache" -o Acquire::Languages=none -o Acquire::Retries=2)
if ((EUID == 0)); then options+=(-o APT::Sandbox::User=root); fi
(cd "$scratch" && apt-get "${options[@]}" update && apt-get "${options[@]}" download libimgui-dev) >"$scratch/log" 2>&1 ||
    skip "libimgui-dev of Debian's $suite cannot be had"
dpkg-deb -x "$scratch"/libimgui-dev_*.deb "$scratch/unpacked"
headers=$scratch/unpacked/usr/include/imgui
there=$(sed -nE 's/^#define IMGUI_VERSION +"(.*)"/\1/p' "$headers/imgui.h")
[[ -n $there && $there != "$here" ]] || skip "libimgui-dev of Debian's $suite is $there, as is this machine's"
echo "Dear ImGui $there, here $here"

read -ra flags <<<"$(pkg-config --cflags glfw3 freetype2)"
compile() {
    "${CXX:-c++}" -std=c++20 -fsyntax-only -Wall -Wextra -Wshadow -Werror -isystem "$1" -I"$2" "${@:4}" "$3" ||
        { echo "${3#"$2"/} does not compile"; return 1; }
}
export -f compile
printf '%s\0' "$root"/viz/app/*.cpp | xargs -0 -I SOURCE -P "$(nproc)" bash -c 'compile "$@"' _ "$headers" "$root" SOURCE \
    "${flags[@]}"
