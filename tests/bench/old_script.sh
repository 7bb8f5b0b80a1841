#!/bin/bash
# A health tick of the old kind: one command after the other, each a process of its own, as a
# checklist typed by hand would be. It mends nothing here; a healthy tick never did.
# Arguments: the docker socket, the kubeconfig, the ssh configuration.
export DOCKER_HOST=unix://$1 KUBECONFIG=$2
ssh_config=$3
node=joelclaw-controlplane-1
ok() { "$@" >/dev/null 2>&1 || { echo "failed: $*" >&2; failed=1; }; }
vm() { ssh -F "$ssh_config" -o ControlMaster=no -o ControlPath=none lima-colima "$@"; }
failed=0
ok colima status --json
ok docker ps
ok docker inspect -f '{{.State.Running}}' "$node"
ok docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' "$node"
ok vm true
ok vm 'test -e /proc/sys/net/bridge/bridge-nf-call-iptables'
ok kubectl get --raw /readyz
ok kubectl get nodes
ok kubectl get nodes -o 'jsonpath={.items[0].spec.taints}'
ok kubectl get nodes -o 'jsonpath={.items[0].spec.unschedulable}'
ok kubectl -n kube-system get pods -l k8s-app=flannel
ok kubectl -n kube-system get daemonset kube-flannel
ok kubectl get events -A --field-selector reason=FailedCreatePodSandBox
ok kubectl get pods -A
ok kubectl -n joelclaw get deployment livekit-server
ok kubectl -n joelclaw get pod redis-0
ok curl -fsS -m 5 http://127.0.0.1:7880/
ok curl -fsS -m 5 http://127.0.0.1:8108/health
exit "$failed"
