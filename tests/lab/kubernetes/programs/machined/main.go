// Command machined is the init of the lab's node: what Talos does in a container, as far as a
// healer outside can see it. It issues certificates from the machine configuration, keeps the
// services up, owns the control-plane taint, cordons when told to stop and exits 130.
package main

import (
	"errors"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// exitPoweredOff is what Docker shows after a completed shutdown of Talos: reboot(POWER_OFF) in a
// PID namespace ends its init by SIGINT (facts/talos-kubernetes.md §1).
const exitPoweredOff = 130

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC)
	if os.Getpid() == 1 {
		os.Exit(reap())
	}
	os.Exit(supervise())
}

// reap is all that PID 1 does: it passes SIGTERM on and collects the orphans of containerd, so
// that the supervisor can wait for its own children in the ordinary way.
func reap() int {
	child := exec.Command("/proc/self/exe")
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	if err := child.Start(); err != nil {
		log.Fatal(err)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	go func() {
		for range signals {
			_ = child.Process.Signal(syscall.SIGTERM)
		}
	}()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || pid == child.Process.Pid {
			return status.ExitStatus()
		}
	}
}

func supervise() int {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	config, err := loadMachineConfig()
	if err == nil {
		err = prepare(config)
	}
	if err != nil {
		log.Print(err)
		return 1
	}
	api, err := newClient(config)
	if err != nil {
		log.Print(err)
		return 1
	}
	services := allServices(config)
	quit := make(chan struct{})
	var running sync.WaitGroup
	for _, one := range services {
		running.Add(1)
		go func() {
			defer running.Done()
			one.keepUp(quit)
		}()
	}
	nodes := newNodeApply(api, config)
	go nodes.run(quit)
	<-stop
	nodes.stopping.Store(true)
	log.Print("phase shutdown: cordoning and stopping")
	shutdown(api, config, quit, &running)
	return exitPoweredOff
}

// shutdown follows the order of Talos' sequence, shortened: cordon, pods, services.
func shutdown(api *client, config machineConfig, quit chan struct{}, running *sync.WaitGroup) {
	if err := cordon(api, config.NodeName); err != nil {
		log.Printf("cordon: %v", err)
	}
	// A machined that hangs here is what ends in 137, however long Docker waits.
	for held("shutdown") {
		time.Sleep(lookInterval)
	}
	hold("kubelet")
	stopPods()
	close(quit)
	done := make(chan struct{})
	go func() { running.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		log.Print("some services did not stop")
	}
}
