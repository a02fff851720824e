#!/usr/bin/env bash
# npm run test:fresh: proves, from HEAD, that a machine with nothing but git and npm is enough. Makes a minimal Debian root,
# clones the repository into it, and runs there what the README promises: bin/quickstart --once, then bin/test unit.
# Needs root on a Debian machine, some 2 GB under ${TMPDIR:-/var/tmp}, and the quickstart's ports free. Mirrors, proxies and
# certificates are those that this machine uses.
#   SUITE=trixie npm run test:fresh    another release than bookworm
#   KEEP=1 npm run test:fresh          leaves the root behind, to look around in
set -euo pipefail

SUITE="${SUITE:-bookworm}"
PORTS="2181 9092 9093 9094"
repository="$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)"

say() { printf 'fresh-machine: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

[ "$(id -u)" = 0 ] || fail "needs root, to make a root file system and change into it"
command -v apt-get >/dev/null || fail "needs apt-get: run it on Debian"
for port in $PORTS; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then fail "port $port is in use, and the quickstart needs it"; fi
done
command -v debootstrap >/dev/null || {
  say "installing debootstrap"
  apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
}

root="$(mktemp -d "${TMPDIR:-/var/tmp}/samsa-fresh-XXXXXX")"
chmod 755 "$root"
clean_up() {
  local mounted
  trap - EXIT INT TERM
  # The deepest first. Nothing is deleted as long as anything of this machine is still mounted below.
  for mounted in $(awk -v root="$root/" 'index($5, root) == 1 { print $5 }' /proc/self/mountinfo | sort -r); do
    umount "$mounted" 2>/dev/null || umount --lazy "$mounted"
  done
  if [ -n "${KEEP:-}" ]; then say "kept: $root"; else rm -rf --one-file-system "$root"; fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# copy_into_root PATH…: the files and directories that are there, to the same places.
copy_into_root() {
  local path
  for path in "$@"; do
    [ -e "$path" ] || continue
    mkdir -p "$root$(dirname "$path")"
    cp --archive --dereference --no-target-directory "$path" "$root$path"
  done
}

# mirror: where this machine gets the release from; nothing lets debootstrap choose.
mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $SUITE" 2>/dev/null | head -n 1
}

# in_root COMMAND…: runs it in the new root, with a clean environment and a process tree of its own that ends with it.
in_root() {
  local name environment=(HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
  for name in "${certificate_variables[@]}" http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    if [ -n "${!name:-}" ]; then environment+=("$name=${!name}"); fi
  done
  unshare --pid --fork --kill-child env -i "${environment[@]}" chroot "$root" "$@"
}
certificate_variables=(NODE_EXTRA_CA_CERTS SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE GIT_SSL_CAINFO)

say "making a minimal Debian $SUITE in $root"
mirror="$(mirror)"
debootstrap --variant=minbase "$SUITE" "$root" ${mirror:+"$mirror"} >"$root.log" 2>&1 || {
  tail -n 20 "$root.log" >&2
  fail "debootstrap failed (log: $root.log)"
}
rm -f "$root.log"

mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount --bind /dev "$root/dev"
mount --bind /dev/pts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
copy_into_root /etc/resolv.conf /etc/hosts
copy_into_root /etc/apt/apt.conf /etc/apt/apt.conf.d /etc/apt/auth.conf /etc/apt/auth.conf.d
copy_into_root /etc/apt/trusted.gpg /etc/apt/trusted.gpg.d /etc/apt/keyrings

say "installing git, npm and ca-certificates"
in_root apt-get update -qq
in_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends git npm ca-certificates >/dev/null

# Where this machine reaches the npm registry through a proxy with certificates of its own, so does the new root.
copy_into_root /usr/local/share/ca-certificates /etc/npmrc /usr/etc/npmrc
[ ! -e "$HOME/.npmrc" ] || cp "$HOME/.npmrc" "$root/root/.npmrc"
in_root update-ca-certificates >/dev/null 2>&1
for name in "${certificate_variables[@]}"; do
  if [ -f "${!name:-}" ]; then copy_into_root "${!name}"; fi
done

say "cloning $(git -C "$repository" rev-parse --short HEAD)"
git -C "$repository" bundle create --quiet "$root/tmp/samsa.bundle" HEAD
in_root git clone --quiet /tmp/samsa.bundle /root/samsa
say "the new machine has node $(in_root node --version) and npm $(in_root npm --version 2>/dev/null)"

# step COMMAND…: runs it in the clone and says how long it took.
step() {
  say "$*"
  SECONDS=0
  in_root bash -c 'cd /root/samsa && exec "$@"' step "$@"
  say "$* succeeded in $SECONDS s"
}
step bin/quickstart --once
step bin/test unit
say "a fresh Debian $SUITE is enough"
