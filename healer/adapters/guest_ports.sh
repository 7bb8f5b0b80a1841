# What `healer ports add` does in the VM, as root; run by `sh -c THIS sh VERB …`, stdin is data.
# The answer stands between two marks, so that an rc file's words or a cut answer are not taken
# for one. No python is needed: coreutils or busybox have all of it.
set -eu
verb=$1; shift
say() { printf '%s=%s\n' "$1" "$2"; }
die() { echo "$*" >&2; exit 1; }
digest() { sha256sum < "$1" | { read -r sum _; printf %s "$sum"; }; }
state() {
  found=$(systemctl show "$1" -p LoadState -p ActiveState)
  case $found in
    *LoadState=not-found*) ;;
    *) printf '%s\n' "$found" | sed -n 's/^ActiveState=//p' ;;
  esac
}
units() {
  socket=$(state docker.socket); service=$(state docker.service)
  # Without a socket unit nothing wakes dockerd.
  say socket "${socket:-inactive}"; say service "$service"
}
down() {
  for one in docker.socket docker.service; do
    case $(state "$one") in ''|inactive|failed) ;; *) die "$one is not down" ;; esac
  done
}
listens() {
  hex=$(printf %04X "$1"); wanted=0A; [ "$2" = tcp ] || wanted=07
  for table in "/proc/net/$2" "/proc/net/${2}6"; do
    [ -r "$table" ] || continue
    while read -r _ local _ status _; do
      case $local in *:"$hex") [ "$status" != "$wanted" ] || { say listens 1; return; } ;; esac
    done < "$table"
  done
  say listens 0
}
replace() {
  file=$1 before=$2 after=$3 part=$1.healer
  [ -f "$file" ] && [ ! -L "$file" ] || die "$file is no regular file"
  [ "$(digest "$file")" = "$before" ] || die "$file was changed by somebody else"
  down
  rm -f "$part"
  cp -p "$file" "$part"
  # Into the file that cp made, so that owner and mode stay; its data is on the disk afterwards.
  dd of="$part" conv=fsync 2>/dev/null
  [ "$(digest "$part")" = "$after" ] || { rm -f "$part"; die "$part was not written whole"; }
  down
  mv -f "$part" "$file"
  sync
  [ "$(digest "$file")" = "$after" ] || die "$file is not what was written"
}

printf '\nanswer=1\n'
case $verb in
  units) units ;;
  stop)
    # The socket first: any client that touches it starts dockerd again.
    if [ -n "$(state docker.socket)" ]; then systemctl stop docker.socket; fi
    systemctl stop docker.service
    units ;;
  start)
    # Three starts within a minute are systemd's limit, and a way back needs its start.
    systemctl reset-failed docker.service 2>/dev/null || :
    if [ -n "$(state docker.socket)" ]; then systemctl start docker.socket; fi
    systemctl start docker.service
    units ;;
  digest) say digest "$(digest "$1")" ;;
  read)
    [ -f "$1" ] && [ ! -L "$1" ] || die "$1 is no regular file"
    say digest "$(digest "$1")"
    say data "$(base64 < "$1" | tr -d '\n')" ;;
  replace) replace "$@" ;;
  listens) listens "$@" ;;
  *) die "unknown verb $verb" ;;
esac
say ended 1
