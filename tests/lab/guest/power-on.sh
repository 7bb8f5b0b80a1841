#!/bin/sh
# Power of the VM on: power-on.sh NAME INIT ROOT (facts/lab.md, 'A "VM" that can lose its power').
# Joins control groups of the VM's own, then becomes `unshare`; dies with the process that ran it.
set -eu
name=$1 init=$2 root=$3

# A machine may know of controllers that it does not let anyone mount.
controllers=$(awk '$3 == "cgroup" { n = split($2, at, "/"); print at[n] }' /proc/self/mounts)
for controller in $controllers; do
    group=/sys/fs/cgroup/$controller/$name
    mkdir -p "$group"
    if [ "$controller" = cpuset ]; then
        cat /sys/fs/cgroup/cpuset/cpuset.cpus > "$group/cpuset.cpus"
        cat /sys/fs/cgroup/cpuset/cpuset.mems > "$group/cpuset.mems"
        echo 1 > "$group/cgroup.clone_children"
    fi
    echo $$ > "$group/cgroup.procs"
done

# The VM's clocks start at its power-on; both, since systemd's stamps are monotonic ones.
uptime=$(cut -d. -f1 /proc/uptime)
exec setpriv --pdeathsig KILL \
    unshare --net --mount --uts --ipc --cgroup --time --monotonic "-$uptime" --boottime "-$uptime" \
    --pid --fork --kill-child=KILL -- "$init" "$root"
