#!/bin/sh
# systemd's part in a hot-add, for one dockerd: `systemctl.sh FOLDER VERB UNIT …`.
set -eu
folder=$1 verb=$2 unit=${3:-}
state=$folder/$unit
start() {
  rm -f /run/docker.pid
  # None of our pipes may stay open in it, or whoever started it would wait for its end.
  setsid dockerd --data-root "$folder/docker" --exec-root /run/docker --pidfile /run/docker.pid \
    --host "unix://$folder/docker.sock" --cgroup-parent "/$(basename "$folder")" \
    >> "$folder/dockerd.log" 2>&1 < /dev/null &
  tries=0
  until curl -s -m 1 --unix-socket "$folder/docker.sock" http://docker/_ping > /dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { echo "dockerd does not start" >&2; exit 1; }
    sleep 0.1
  done
}
stop() {
  pid=$(cat /run/docker.pid 2> /dev/null) || return 0
  kill -TERM "$pid" 2> /dev/null || return 0
  while kill -0 "$pid" 2> /dev/null; do sleep 0.05; done
}
case $verb in
  show)
    [ -e "$state" ] || { echo LoadState=not-found; echo ActiveState=inactive; exit; }
    echo LoadState=loaded; echo "ActiveState=$(cat "$state")" ;;
  start)
    if [ "$unit" = docker.service ] && [ "$(cat "$state")" != active ]; then start; fi
    echo active > "$state" ;;
  stop)
    if [ "$unit" = docker.service ]; then stop; fi
    echo inactive > "$state" ;;
  reset-failed) ;;
  *) exit 1 ;;
esac
