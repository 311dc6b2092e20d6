// An app that misbehaves on request, for the tests on a real node.
//
//	app serve [flags]   serves HTTP, HTTPS and gRPC health, and goes wrong as the flags say
//	app ok | app fail   what an exec probe runs
//	app wait URL        waits until the URL answers 200, as an init container
//	app exit CODE       ends at once
//	app pause           waits, and reaps what is left to it: a pod's sandbox
//
// It is the only file of its image: no shell, no libraries.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func main() {
	command := "serve"
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	switch command {
	case "serve":
		serve(os.Args[2:])
	case "ok":
		fmt.Println("ok")
	case "fail":
		fmt.Println("the check fails, as it was told to")
		os.Exit(1)
	case "wait":
		wait(os.Args[2])
	case "exit":
		exit(os.Args[2:])
	case "pause":
		pause()
	default:
		fmt.Fprintf(os.Stderr, "there is no command %q\n", command)
		os.Exit(2)
	}
}

func exit(arguments []string) {
	code := 0
	if len(arguments) > 0 {
		var err error
		if code, err = strconv.Atoi(arguments[0]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	os.Exit(code)
}
