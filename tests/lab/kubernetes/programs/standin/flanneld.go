package main

import (
	"fmt"
	"os"
	"time"
)

const (
	// moduleFlag is the VM's word for "br_netfilter is loaded", through a hostPath: a container's
	// own /proc always shows the sysctl (facts/lab.md).
	moduleFlag = "/guest/br_netfilter"
	subnetFile = "/run/flannel/subnet.env"
	cniSource  = "/etc/kube-flannel/cni-conf.json"
	cniTarget  = "/etc/cni/net.d/10-flannel.conflist"
)

// installCNI is the init container install-config.
func installCNI() {
	text, err := os.ReadFile(cniSource)
	if err == nil {
		err = os.WriteFile(cniTarget, text, 0o644)
	}
	if err != nil {
		klog("E", 1, err.Error())
		os.Exit(1)
	}
}

// flanneld does what flannel does at its start, in its words (facts/talos-kubernetes.md §5).
func flanneld() {
	klog("I", 211, "CLI flags config: {etcdEndpoints:http://127.0.0.1:4001 kubeSubnetMgr:true}")
	if _, err := os.Stat(moduleFlag); err != nil {
		klog("E", 278, "Failed to check br_netfilter: stat "+
			"/proc/sys/net/bridge/bridge-nf-call-iptables: no such file or directory")
		os.Exit(1)
	}
	err := os.MkdirAll("/run/flannel", 0o755)
	if err == nil {
		err = os.WriteFile(subnetFile, []byte("FLANNEL_NETWORK=10.244.0.0/16\n"+
			"FLANNEL_SUBNET=10.244.0.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n"), 0o644)
	}
	if err != nil {
		klog("E", 460, err.Error())
		os.Exit(1)
	}
	klog("I", 465, "Wrote subnet file to "+subnetFile)
	klog("I", 469, "Running backend.")
	awaitTermination()
}

func klog(level string, line int, text string) {
	now := time.Now().UTC()
	fmt.Fprintf(os.Stderr, "%s%s       1 main.go:%d] %s\n",
		level, now.Format("0102 15:04:05.000000"), line, text)
}
