package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

const (
	secrets   = "/system/secrets"
	state     = "/system/state"
	overrides = state + "/config.json"
	imageDir  = "/usr/share/lab/images"
)

// machineConfig is what USERDATA carries, secrets included, as Talos' does.
type machineConfig struct {
	NodeName      string   `json:"nodeName"`
	NodeIP        string   `json:"nodeIP"`
	CertSANs      []string `json:"certSANs"`
	CACert        string   `json:"caCert"`
	CAKey         string   `json:"caKey"`
	ServiceKey    string   `json:"serviceAccountKey"`
	SandboxImage  string   `json:"sandboxImage"`
	AllowSchedule bool     `json:"allowSchedulingOnControlPlanes"`
}

func loadMachineConfig() (machineConfig, error) {
	var config machineConfig
	raw, err := base64.StdEncoding.DecodeString(os.Getenv("USERDATA"))
	if err == nil {
		err = json.Unmarshal(raw, &config)
	}
	if err != nil {
		return config, fmt.Errorf("USERDATA: %w", err)
	}
	return config, nil
}

// allowSchedule is read anew at each use: a machine configuration patched later, and kept on the
// state volume, wins over USERDATA.
func (c machineConfig) allowSchedule() bool {
	raw, err := os.ReadFile(overrides)
	if err != nil {
		return c.AllowSchedule
	}
	patched := c
	if json.Unmarshal(raw, &patched) != nil {
		return c.AllowSchedule
	}
	return patched.AllowSchedule
}

func prepare(config machineConfig) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_SHARED, ""); err != nil {
		return fmt.Errorf("share mounts: %w", err)
	}
	removeOldCgroups()
	for _, folder := range []string{
		secrets, holdDir, "/system/etc", "/run/lab", "/var/log/lab", "/var/lib/etcd",
		"/var/lib/containerd", "/var/lib/kubelet", "/etc/kubernetes/manifests", "/etc/cni/net.d",
	} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
	}
	if err := issueAll(config); err != nil {
		return err
	}
	for path, text := range configFiles(config) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// removeOldCgroups removes what a killed node's pods left in the VM's hierarchy: kubelet would
// spend three seconds on each before it looks at any pod.
func removeOldCgroups() {
	roots, _ := filepath.Glob("/sys/fs/cgroup/*/kubepods")
	for _, root := range append(roots, "/sys/fs/cgroup/kubepods") {
		var folders []string
		_ = filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				folders = append(folders, path)
			}
			return nil
		})
		for _, folder := range slices.Backward(folders) {
			_ = syscall.Rmdir(folder)
		}
	}
}

func configFiles(config machineConfig) map[string]string {
	files := map[string]string{
		"/system/etc/containerd.toml": fmt.Sprintf(containerdConfig, config.SandboxImage),
		"/system/etc/kubelet.yaml":    kubeletConfig,
		"/system/etc/proxy.yaml":      proxyConfig,
	}
	for _, one := range identities(config) {
		if one.kubeconfig {
			files[filepath.Join(secrets, one.file+".kubeconfig")] = fmt.Sprintf(
				kubeconfigFormat, secrets, secrets, one.file, secrets, one.file)
		}
	}
	return files
}

const kubeconfigFormat = `apiVersion: v1
kind: Config
clusters:
- name: local
  cluster: {server: "https://127.0.0.1:6443", certificate-authority: %s/ca.crt}
users:
- name: local
  user: {client-certificate: %s/%s.crt, client-key: %s/%s.key}
contexts:
- name: local
  context: {cluster: local, user: local}
current-context: local
`

// restrict_oom_score_adj: the machine may lack CAP_SYS_RESOURCE (facts/lab.md).
const containerdConfig = `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "%s"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/opt/cni/bin"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`

const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: /system/secrets/ca.crt}
authorization: {mode: Webhook}
tlsCertFile: /system/secrets/kubelet-server.crt
tlsPrivateKeyFile: /system/secrets/kubelet-server.key
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
oomScoreAdj: 0
protectKernelDefaults: false
staticPodPath: /etc/kubernetes/manifests
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
resolvConf: ""
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 1Mi, nodefs.available: 0%, imagefs.available: 0%}
`

const proxyConfig = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: 10.244.0.0/16
clientConnection: {kubeconfig: /system/secrets/kube-proxy.kubeconfig}
conntrack: {maxPerCore: 0, min: 0}
`
