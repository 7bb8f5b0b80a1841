package main

import (
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// holdDir holds one empty file per service that is to stay down: how tests wedge a node. It is on
// a tmpfs, so a restart of the container clears it, as it clears Talos' own stuck states.
const (
	holdDir      = "/run/lab/hold"
	lookInterval = 300 * time.Millisecond
	restartPause = time.Second
)

type service struct {
	name string
	argv []string
	// needs is a file without which the service is not started yet.
	needs string
	// before runs once per start of the node, after needs is there.
	before func() error
}

func allServices(config machineConfig) []*service {
	const socket = "/run/containerd/containerd.sock"
	return []*service{
		{name: "etcd", argv: []string{
			"etcd", "--data-dir=/var/lib/etcd", "--unsafe-no-fsync",
			"--listen-client-urls=http://127.0.0.1:2379", "--listen-peer-urls=http://127.0.0.1:2380",
			"--advertise-client-urls=http://127.0.0.1:2379", "--log-level=warn",
		}},
		{name: "containerd", argv: []string{"containerd", "--config=/system/etc/containerd.toml"}},
		{name: "kube-apiserver", argv: apiServerArgs(config)},
		{name: "kube-controller-manager", argv: []string{
			"kube-controller-manager", "--kubeconfig=" + secrets + "/controller-manager.kubeconfig",
			"--leader-elect=false", "--allocate-node-cidrs", "--cluster-cidr=10.244.0.0/16",
			"--service-account-private-key-file=" + secrets + "/service-account.key",
			"--root-ca-file=" + secrets + "/ca.crt", "--use-service-account-credentials",
		}},
		{name: "kube-scheduler", argv: []string{
			"kube-scheduler", "--kubeconfig=" + secrets + "/scheduler.kubeconfig",
			"--leader-elect=false",
		}},
		{name: "kubelet", needs: socket, before: importImages, argv: []string{
			"kubelet", "--config=/system/etc/kubelet.yaml",
			"--kubeconfig=" + secrets + "/kubelet.kubeconfig", "--node-ip=" + config.NodeIP,
			"--hostname-override=" + config.NodeName,
		}},
		{name: "kube-proxy", argv: []string{
			"kube-proxy", "--config=/system/etc/proxy.yaml", "--hostname-override=" + config.NodeName,
		}},
	}
}

func apiServerArgs(config machineConfig) []string {
	at := func(name string) string { return filepath.Join(secrets, name) }
	return []string{
		"kube-apiserver", "--etcd-servers=http://127.0.0.1:2379", "--secure-port=6443",
		"--advertise-address=" + config.NodeIP, "--anonymous-auth=false",
		"--allow-privileged", "--authorization-mode=Node,RBAC", "--profiling=false",
		"--enable-admission-plugins=NodeRestriction",
		"--client-ca-file=" + at("ca.crt"),
		"--tls-cert-file=" + at("apiserver.crt"), "--tls-private-key-file=" + at("apiserver.key"),
		"--kubelet-client-certificate=" + at("apiserver-kubelet-client.crt"),
		"--kubelet-client-key=" + at("apiserver-kubelet-client.key"),
		"--kubelet-certificate-authority=" + at("ca.crt"),
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + at("service-account.key"),
		"--service-account-signing-key-file=" + at("service-account.key"),
		"--service-cluster-ip-range=10.96.0.0/12", "--service-node-port-range=1-65535",
	}
}

// keepUp runs the service again and again until quit, except while it is held.
func (s *service) keepUp(quit <-chan struct{}) {
	for !over(quit) {
		if held(s.name) || !exists(s.needs) {
			pause(quit, lookInterval)
			continue
		}
		if s.before != nil {
			if err := s.before(); err != nil {
				log.Printf("%s: %v", s.name, err)
				pause(quit, restartPause)
				continue
			}
			s.before = nil
		}
		if err := s.once(quit); err != nil && !over(quit) && !held(s.name) {
			log.Printf("service %s ended: %v", s.name, err)
			pause(quit, restartPause)
		}
	}
}

func (s *service) once(quit <-chan struct{}) error {
	out, err := os.OpenFile("/var/log/lab/"+s.name+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	command := exec.Command(s.argv[0], s.argv[1:]...)
	command.Stdout, command.Stderr = out, out
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-quit:
			return stop(command, ended)
		case <-ticker.C:
			if held(s.name) {
				log.Printf("service %s is held", s.name)
				return stop(command, ended)
			}
		}
	}
}

func stop(command *exec.Cmd, ended <-chan error) error {
	_ = command.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		return err
	case <-time.After(3 * time.Second):
		_ = command.Process.Kill()
		return <-ended
	}
}

func held(name string) bool { return exists(filepath.Join(holdDir, name)) }

func hold(name string) {
	_ = os.WriteFile(filepath.Join(holdDir, name), nil, 0o600)
}

func exists(path string) bool {
	if path == "" {
		return true
	}
	_, err := os.Stat(path)
	return err == nil
}

func over(quit <-chan struct{}) bool {
	select {
	case <-quit:
		return true
	default:
		return false
	}
}

func pause(quit <-chan struct{}, length time.Duration) {
	select {
	case <-quit:
	case <-time.After(length):
	}
}

// importImages fills containerd's store, which is on a volume, at the first boot only.
func importImages() error {
	have, err := exec.Command("ctr", "-n", "k8s.io", "images", "ls", "-q").Output()
	if err != nil {
		return err
	}
	archives, err := filepath.Glob(imageDir + "/*.tar")
	if err != nil || len(strings.Fields(string(have))) >= len(archives) {
		return err
	}
	for _, archive := range archives {
		out, err := exec.Command("ctr", "-n", "k8s.io", "images", "import", archive).CombinedOutput()
		if err != nil {
			log.Printf("import %s: %s", archive, out)
			return err
		}
	}
	return nil
}

// stopPods ends every container through containerd, so that it records their ends: after a clean
// stop no pod shows "Unknown", which is the mark of a power cut (facts/talos-kubernetes.md §3).
func stopPods() {
	out, err := exec.Command("ctr", "-n", "k8s.io", "tasks", "ls", "-q").Output()
	if err != nil {
		return
	}
	for _, id := range strings.Fields(string(out)) {
		_ = exec.Command("ctr", "-n", "k8s.io", "tasks", "kill", "-s", "SIGKILL", id).Run()
	}
	for range 20 {
		left, err := exec.Command("ctr", "-n", "k8s.io", "tasks", "ls").Output()
		if err != nil || !strings.Contains(string(left), "RUNNING") {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}
