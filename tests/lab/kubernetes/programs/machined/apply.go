package main

import (
	"encoding/json"
	"log"
	"maps"
	"sync/atomic"
	"time"
)

// heartbeat is how often a stuck node repeats itself; a real one does so every five minutes, which
// no test would wait for.
const heartbeat = 5 * time.Second

// nodeApply is Talos' NodeApplyController as seen from outside (facts/talos-kubernetes.md §2): it
// puts the taint back at boot and whenever the Node's readiness, cordon, labels or annotations
// change; a change of the taints alone does not wake it.
type nodeApply struct {
	api    *client
	config machineConfig
	seen   *nodeStatus
	booted bool
	// stopping: the machine shuts down, and its cordon is to stay.
	stopping atomic.Bool
}

type nodeStatus struct {
	ready               string
	unschedulable       bool
	labels, annotations map[string]string
	allow               bool
}

func newNodeApply(api *client, config machineConfig) *nodeApply {
	return &nodeApply{api: api, config: config}
}

func (a *nodeApply) run(quit <-chan struct{}) {
	for !over(quit) {
		if err := a.look(); err != nil && a.booted {
			log.Printf("node apply: %v", err)
		}
		pause(quit, time.Second)
	}
}

func (a *nodeApply) look() error {
	if stuckShuttingDown() {
		hold("kubelet")
		defer time.Sleep(heartbeat)
		return writeShuttingDown(a.api, a.config.NodeName)
	}
	now, err := a.api.node(a.config.NodeName)
	if err != nil {
		return err
	}
	status := nodeStatus{
		ready: now.ready(), unschedulable: now.Spec.Unschedulable, labels: now.Metadata.Labels,
		annotations: now.Metadata.Annotations, allow: a.config.allowSchedule(),
	}
	if a.seen != nil && a.seen.same(status) {
		return nil
	}
	if err := a.apply(now, status.allow); err != nil {
		return err
	}
	a.seen = &status
	return nil
}

func (a *nodeApply) apply(now node, allow bool) error {
	name := a.config.NodeName
	// As Talos does at each sync of a machine that boots or runs, and only of its own cordon;
	// `uncordon` held plays a controller that fails at it, which leaves the cordon behind.
	own := now.Spec.Unschedulable && has(now.Metadata.Annotations, cordonedAnnotation)
	if own && !a.stopping.Load() && !held("uncordon") {
		if err := uncordon(a.api, name); err != nil {
			return err
		}
	}
	a.booted = true
	if now.Metadata.Labels == nil || !has(now.Metadata.Labels, controlPlane) {
		labels := map[string]any{controlPlane: "", noBalancer: ""}
		change := map[string]any{"metadata": map[string]any{"labels": labels}}
		if err := a.api.patch(name, mergePatch, change); err != nil {
			return err
		}
	}
	// The writes above moved the resourceVersion that guards the next one.
	now, err := a.api.node(name)
	if err != nil {
		return err
	}
	owned := now.Metadata.Annotations[taintsAnnotation] != ""
	switch {
	case !allow && !now.tainted():
		return a.putTaints(now, append(now.Spec.Taints, map[string]any{
			"key": controlPlane, "effect": "NoSchedule",
		}), ownedTaints())
	case allow && now.tainted() && owned:
		return a.putTaints(now, without(now.Spec.Taints), nil)
	}
	return nil
}

// putTaints replaces the whole list, which is safe because the resourceVersion goes with it.
func (a *nodeApply) putTaints(now node, taints []map[string]any, owned any) error {
	log.Printf("node apply: %d taints", len(taints))
	return a.api.patch(a.config.NodeName, mergePatch, map[string]any{
		"metadata": map[string]any{
			"resourceVersion": now.Metadata.ResourceVersion,
			"annotations":     map[string]any{taintsAnnotation: owned},
		},
		"spec": map[string]any{"taints": taints},
	})
}

func ownedTaints() string {
	text, _ := json.Marshal([]string{controlPlane})
	return string(text)
}

func without(taints []map[string]any) []map[string]any {
	kept := []map[string]any{}
	for _, taint := range taints {
		if taint["key"] != controlPlane {
			kept = append(kept, taint)
		}
	}
	return kept
}

func has(labels map[string]string, key string) bool { _, ok := labels[key]; return ok }

func (s nodeStatus) same(other nodeStatus) bool {
	return s.ready == other.ready && s.unschedulable == other.unschedulable &&
		s.allow == other.allow && maps.Equal(s.labels, other.labels) &&
		maps.Equal(s.annotations, other.annotations)
}
