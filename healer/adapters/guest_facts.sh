# Everything healer asks of the VM, in one round trip; run by `sh -s -- CONTAINER API_PORT PORT…`.
# Prints key=value lines, changes nothing, and ends by itself: every part has a bound.
container=$1; api_port=$2; shift 2
# A line of its own, whatever a user's rc file has said before; the answer begins behind it.
printf '\nfacts=1\n'
say() { printf '%s=%s\n' "$1" "$2"; }
bound() { if command -v timeout >/dev/null 2>&1; then timeout 3 "$@"; else "$@"; fi; }
# The bound stands inside of sudo: only root may end what runs as root.
root() {
  if [ "$(id -u)" = 0 ]; then bound "$@"
  elif command -v timeout >/dev/null 2>&1; then sudo -n timeout 3 "$@"
  else sudo -n "$@"
  fi
}
# 124 is silence, which asking again as root would only double.
docker_q() {
  bound docker "$@" 2>/dev/null
  case $? in 0) return 0 ;; 124) return 124 ;; esac
  root docker "$@" 2>/dev/null
}
ping_q() { "$@" curl -s -m 3 --unix-socket /var/run/docker.sock http://docker/_ping 2>/dev/null; }

read -r uptime _ < /proc/uptime
say uptime "$uptime"
say clock "$(date +%s.%N)"

if [ $# -gt 0 ] && command -v bash >/dev/null 2>&1; then
  # Under sshd even a plain bash reads the user's rc file, and what that does is anybody's guess.
  # One for all ports: a bash and a timeout for each were half of what a question costs the VM.
  bound bash --norc -c 'for port; do
    (exec 3<>"/dev/tcp/127.0.0.1/$port" && echo "port=$port") &
  done; wait' connect "$@" 2>/dev/null &
else
  for port in "$@"; do
    ( bound nc -z 127.0.0.1 "$port" 2>/dev/null && say port "$port" ) &
  done
fi

if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then say bridge 1; else say bridge 0; fi
# A kernel without loadable modules has no /proc/modules: what it has is built in.
if [ -d /sys/module/vxlan ] || [ ! -e /proc/modules ] || grep -q '^vxlan ' /proc/modules ||
   grep -qs '/vxlan\.ko' "/lib/modules/$(uname -r)/modules.builtin"; then
  say vxlan 1
else
  say vxlan 0
fi
say modules "$(tr '\n' ' ' 2>/dev/null </etc/modules-load.d/healer.conf)"

# Each file system by the folders that matter: Colima puts Docker's data on a disk of its own.
docker_root=$(sed -n 's/.*"data-root" *: *"\([^"]*\)".*/\1/p' /etc/docker/daemon.json 2>/dev/null)
docker_root=${docker_root:-/var/lib/docker}
say docker_root "$docker_root"
set -- /
for folder in "$docker_root" /var/lib/containerd /var/lib/rancher /var/lib/kubelet /var/lib/cni; do
  [ ! -d "$folder" ] || set -- "$@" "$folder"
done
bound df -P "$@" 2>/dev/null | {
  read -r _
  for folder; do read -r device _ _ _ used _ && say disk "$used $device $folder"; done
}
data=0
for one in /dev/disk/by-label/lima-* /mnt/lima-*; do
  case $one in *'*' | /mnt/lima-cidata | /mnt/lima-rosetta) ;; *) data=1 ;; esac
done
say data_disk "$data"

# systemd first: a connect to docker.sock starts a dockerd that somebody has just stopped.
units_q() {
  bound systemctl show docker.service docker.socket -p ActiveState -p Result \
    -p InactiveEnterTimestampMonotonic -p ExecMainStartTimestampMonotonic \
    -p ActiveEnterTimestampMonotonic 2>/dev/null |
    sed -e '1,/^$/s/^/unit./' -e '1,/^unit\.$/!s/^/socket./'
}
units=$(units_q)
sleeps=
case $units in
  *unit.ActiveState=inactive* | *unit.ActiveState=deactivating* | *unit.ActiveState=failed*)
    case $units in *socket.ActiveState=active*) sleeps=1 ;; esac ;;
esac

if [ -n "$sleeps" ]; then
  ping=
elif command -v curl >/dev/null 2>&1; then
  # 7 is a refusal, perhaps of this user only.
  ping=$(ping_q) || [ $? != 7 ] || ping=$(ping_q root)
else
  ping=; docker_q version --format '{{.Server.Version}}' >/dev/null && ping=OK
fi
say ping "$ping"

if [ "$ping" = OK ]; then
  about=$(docker_q container inspect -f \
    "{{.State.Status}} {{with index .NetworkSettings.Ports \"$api_port/tcp\"}}{{(index . 0).HostPort}}{{else}}-{{end}}{{range .NetworkSettings.Networks}} {{.IPAddress}}{{end}}" \
    "$container")
  read -r status published address _ <<END
$about
END
  say container "$status"
  say published "$published"
  if [ -n "$address" ] && command -v curl >/dev/null 2>&1; then
    say api "$(curl -sk -m 3 -o /dev/null -w '%{http_code}' \
      "https://$address:$api_port/readyz" 2>/dev/null)"
  fi
fi

wait
# Again, since whoever hears this acts on it: a stop that began meanwhile must be in it.
units_q
# Last, so that its absence tells of an answer that was cut.
say ended "$(date +%s.%N)"
