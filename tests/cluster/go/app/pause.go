package main

import (
	"os"
	"os/signal"
	"syscall"
)

// Holds a pod's namespaces open until it is told to stop. Processes that lost their parent in the
// pod become its children, where the pod shares process IDs.
func pause() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return
		}
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
}
