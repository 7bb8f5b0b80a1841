// Command standin plays the workloads of the lab's cluster; its first argument says which.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	roles := map[string]func(){
		"pause": pause, "install-cni": installCNI, "flanneld": flanneld,
		"livekit-server": livekit, "typesense-server": typesense,
	}
	if len(os.Args) < 2 || roles[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: standin ROLE")
		os.Exit(2)
	}
	roles[os.Args[1]]()
}

// pause holds a pod's namespaces open, and collects the orphans where they are shared.
func pause() {
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	go func() {
		for range children {
			for {
				pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
				if err != nil || pid <= 0 {
					break
				}
			}
		}
	}()
	awaitTermination()
}

func awaitTermination() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
}
