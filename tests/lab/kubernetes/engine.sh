#!/bin/sh
# A Docker engine in namespaces of its own (facts/lab.md, "A VM that can lose its power").
# engine.sh start NAME DISK: joins cgroups of its own, then becomes `unshare`.
# engine.sh init DISK: what runs inside as PID 1.
# Two engines in one net namespace would empty each other's chains, and without a cgroup namespace
# kubelet would work in the machine's own hierarchy: hence both.
set -eu
here=$(readlink -f "$0")

start() {
    for controller in $(awk 'NR > 1 && $4 == 1 { print $1 }' /proc/cgroups) systemd; do
        [ -d "/sys/fs/cgroup/$controller" ] || continue
        group="/sys/fs/cgroup/$controller/$1"
        mkdir -p "$group"
        if [ "$controller" = cpuset ]; then
            cat /sys/fs/cgroup/cpuset/cpuset.cpus > "$group/cpuset.cpus"
            cat /sys/fs/cgroup/cpuset/cpuset.mems > "$group/cpuset.mems"
            echo 1 > "$group/cgroup.clone_children"
        fi
        echo $$ > "$group/cgroup.procs"
    done
    exec unshare --net --mount --uts --ipc --cgroup --pid --fork --kill-child=KILL -- \
        /bin/sh "$here" init "$2"
}

init() {
    disk=$1
    mount --make-rprivate /
    mount -t proc proc /proc
    mount -t sysfs sysfs /sys
    # A machine may know of controllers that it does not let anyone mount.
    controllers=$(awk '$3 == "cgroup" && $4 !~ /name=/ { n = split($2, at, "/"); print at[n] }' \
        /proc/self/mounts)
    mount -t tmpfs tmpfs /sys/fs/cgroup
    for controller in $controllers; do
        mkdir "/sys/fs/cgroup/$controller"
        mount -t cgroup -o "$controller" "$controller" "/sys/fs/cgroup/$controller"
    done
    mkdir /sys/fs/cgroup/systemd
    mount -t cgroup -o none,name=systemd systemd /sys/fs/cgroup/systemd
    mount -t tmpfs tmpfs /run
    mkdir -p /run/guest /run/lock
    busybox ip link set lo up
    containerd --root "$disk/containerd" --state /run/containerd \
        --address /run/containerd/containerd.sock > "$disk/containerd.log" 2>&1 &
    while ! [ -S /run/containerd/containerd.sock ]; do sleep 0.1; done
    exec dockerd --data-root "$disk/docker" --exec-root /run/docker --pidfile /run/docker.pid \
        --containerd /run/containerd/containerd.sock --host "unix://$disk/docker.sock" \
        > "$disk/dockerd.log" 2>&1
}

command=$1
shift
"$command" "$@"
