package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"
)

const (
	cordonedAnnotation = "talos.dev/cordoned"
	taintsAnnotation   = "talos.dev/owned-taints"
	controlPlane       = "node-role.kubernetes.io/control-plane"
	noBalancer         = "node.kubernetes.io/exclude-from-external-load-balancers"
)

type node struct {
	Metadata struct {
		ResourceVersion string            `json:"resourceVersion"`
		Labels          map[string]string `json:"labels"`
		Annotations     map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		Unschedulable bool             `json:"unschedulable"`
		Taints        []map[string]any `json:"taints"`
	} `json:"spec"`
	Status struct {
		Conditions []struct {
			Type   string `json:"type"`
			Status string `json:"status"`
		} `json:"conditions"`
	} `json:"status"`
}

func (n node) ready() string {
	for _, condition := range n.Status.Conditions {
		if condition.Type == "Ready" {
			return condition.Status
		}
	}
	return ""
}

func (n node) tainted() bool {
	for _, taint := range n.Spec.Taints {
		if taint["key"] == controlPlane && taint["effect"] == "NoSchedule" {
			return true
		}
	}
	return false
}

type client struct {
	http *http.Client
}

func newClient(config machineConfig) (*client, error) {
	base := filepath.Join(secrets, "machined")
	pair, err := tls.LoadX509KeyPair(base+".crt", base+".key")
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(config.CACert)) {
		return nil, errors.New("no certificate authority")
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}},
	}
	return &client{http: &http.Client{Transport: transport, Timeout: 5 * time.Second}}, nil
}

const api = "https://127.0.0.1:6443/api/v1/nodes"

func (c *client) node(name string) (node, error) {
	var answer node
	response, err := c.http.Get(api + "/" + name)
	if err != nil {
		return answer, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return answer, fmt.Errorf("node: %s", response.Status)
	}
	return answer, json.NewDecoder(response.Body).Decode(&answer)
}

func (c *client) patch(path, kind string, change any) error {
	body, err := json.Marshal(change)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPatch, api+"/"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", kind)
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 500))
		return fmt.Errorf("patch: %s: %s", response.Status, text)
	}
	return nil
}

const mergePatch = "application/merge-patch+json"

// cordon is ApplyCordoned of Talos' node_apply.go for a machine on its way out: a node that is
// unschedulable already is somebody else's, and gets no annotation.
func cordon(c *client, name string) error {
	now, err := c.node(name)
	if err != nil || now.Spec.Unschedulable {
		return err
	}
	return c.patch(name, mergePatch, map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{cordonedAnnotation: "true"}},
		"spec":     map[string]any{"unschedulable": true},
	})
}

func uncordon(c *client, name string) error {
	return c.patch(name, mergePatch, map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{cordonedAnnotation: nil}},
		"spec":     map[string]any{"unschedulable": false},
	})
}

// writeShuttingDown plays a kubelet that hangs in its shutdown: not ready, but alive enough to go
// on saying so (facts/talos-kubernetes.md §1, stuck states).
func writeShuttingDown(c *client, name string) error {
	before, err := c.node(name)
	if err != nil {
		return err
	}
	now := time.Now().UTC().Format(time.RFC3339)
	condition := map[string]any{
		"type": "Ready", "status": "False", "reason": "KubeletNotReady",
		"message": "node is shutting down", "lastHeartbeatTime": now,
	}
	if before.ready() != "False" {
		condition["lastTransitionTime"] = now
	}
	return c.patch(name+"/status", "application/strategic-merge-patch+json", map[string]any{
		"status": map[string]any{"conditions": []map[string]any{condition}},
	})
}

func stuckShuttingDown() bool { return exists("/run/lab/stuck-shutting-down") }
