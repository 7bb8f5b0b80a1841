// Command flannel is the lab's CNI plugin of that name. Like the real one it refuses without
// /run/flannel/subnet.env, in the real one's words, and leaves the wiring to the bridge plugin.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	subnetFile = "/run/flannel/subnet.env"
	stateDir   = "/var/lib/cni/flannel"
)

type netConf struct {
	CNIVersion string `json:"cniVersion"`
	Name       string `json:"name"`
}

func main() {
	stdin, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail(err)
	}
	switch os.Getenv("CNI_COMMAND") {
	case "ADD":
		add(stdin)
	case "DEL":
		remove()
	case "VERSION":
		fmt.Println(`{"cniVersion":"1.0.0","supportedVersions":["0.3.1","0.4.0","1.0.0"]}`)
	}
}

func add(stdin []byte) {
	var conf netConf
	if err := json.Unmarshal(stdin, &conf); err != nil {
		fail(err)
	}
	subnet, err := loadSubnet()
	if err != nil {
		fail(fmt.Errorf("failed to load flannel 'subnet.env' file: %w. "+
			"Check the flannel pod log for this node.", err))
	}
	delegated, err := json.Marshal(map[string]any{
		"cniVersion": conf.CNIVersion, "name": conf.Name, "type": "bridge", "bridge": "cni0",
		"isDefaultGateway": true, "hairpinMode": true, "ipMasq": false, "mtu": 1450,
		"ipam": map[string]any{
			"type":   "host-local",
			"ranges": [][]map[string]string{{{"subnet": subnet}}},
		},
	})
	if err == nil {
		err = os.MkdirAll(stateDir, 0o700)
	}
	if err == nil {
		err = os.WriteFile(saved(), delegated, 0o600)
	}
	if err != nil {
		fail(err)
	}
	delegate(delegated)
}

// remove takes the configuration that add kept: subnet.env may be gone by then.
func remove() {
	delegated, err := os.ReadFile(saved())
	if err != nil {
		return
	}
	_ = os.Remove(saved())
	delegate(delegated)
}

func saved() string { return filepath.Join(stateDir, os.Getenv("CNI_CONTAINERID")) }

func delegate(conf []byte) {
	command := exec.Command(filepath.Join(filepath.Dir(os.Args[0]), "bridge"))
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(conf), os.Stdout, os.Stderr
	if command.Run() != nil {
		os.Exit(1)
	}
}

func loadSubnet() (string, error) {
	text, err := os.ReadFile(subnetFile)
	if err != nil {
		return "", err
	}
	for _, line := range strings.Split(string(text), "\n") {
		if value, found := strings.CutPrefix(line, "FLANNEL_SUBNET="); found {
			address, bits, _ := strings.Cut(value, "/")
			return strings.TrimSuffix(address, ".1") + ".0/" + bits, nil
		}
	}
	return "", fmt.Errorf("%s has no FLANNEL_SUBNET", subnetFile)
}

func fail(err error) {
	text, _ := json.Marshal(map[string]any{"cniVersion": "1.0.0", "code": 999, "msg": err.Error()})
	fmt.Println(string(text))
	os.Exit(1)
}
