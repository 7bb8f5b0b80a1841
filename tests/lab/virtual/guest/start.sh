#!/bin/sh
# The "VM": namespaces whose init's death is a power cut (facts/lab.md).
# start.sh start NAME ROOT PYTHON DISK DRIVER: joins cgroups of its own, then becomes `unshare`,
# under the name of the driver and with its disk in the command line.
# start.sh init ROOT PYTHON DISK: what runs inside first, and becomes the guest's init.
# Without a cgroup namespace a kubelet inside would work in the machine's own hierarchy.
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
    read -r uptime _ < /proc/uptime
    exec bash -c 'exec -a "$0" unshare "$@"' "$5" \
        --net --mount --uts --ipc --cgroup --time --boottime "-${uptime%.*}" \
        --pid --fork --kill-child=KILL -- /bin/sh "$here" init "$2" "$3" "$4"
}

init() {
    root=$1
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
    mkdir -p /run/guest /run/lock /run/sshd "$root/disk/modules-load.d"
    chmod 755 /run/sshd
    busybox hostname lima-colima
    busybox ip link set lo up
    mount --bind "$root/guest.passwd" /etc/passwd
    mount --bind "$root/guest.shadow" /etc/shadow
    mount --bind "$root/disk/modules-load.d" /etc/modules-load.d
    # Absence of br_netfilter: its settings are not there.
    mount -t tmpfs -o ro,size=4k tmpfs /proc/sys/net/bridge
    if [ -e /proc/modules ]; then
        : > /run/guest/modules
        mount --bind /run/guest/modules /proc/modules
    fi
    exec "$2" -IS "${here%/*}/init.py" "$root"
}

command=$1
shift
"$command" "$@"
