package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// What a served app is told to do. Spans count from the start of the process; zero is never.
type settings struct {
	http, https, grpc string
	early             string
	http2             bool
	paths             answers
	redirects         redirects
	service           string

	startAfter     time.Duration
	routesAfter    time.Duration
	routesWhile    string
	hangAfter      time.Duration
	unhealthyUntil time.Duration
	unhealthyAfter time.Duration
	exitAfter      time.Duration
	exitCode       int
	leakAfter      time.Duration
	leakMiB        int
	dependency     string
	patience       time.Duration
	cutOff         bool
	breakable      bool
	ignoreTerm     bool
	termCode       int
}

func parse(arguments []string) settings {
	s := settings{paths: answers{"/health": http.StatusOK, "/ready": http.StatusOK}}
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	flags.StringVar(&s.http, "http", "", "serve HTTP at `ADDRESS`, such as :8080")
	flags.StringVar(&s.https, "https", "", "serve HTTPS at `ADDRESS`, with a certificate made at the start")
	flags.StringVar(&s.early, "early", "", "serve HTTP at `ADDRESS` too, from the start of the process on")
	flags.BoolVar(&s.http2, "http2", false, "speak HTTP/2 without TLS, too, where HTTP is spoken")
	flags.StringVar(&s.grpc, "grpc", "", "serve gRPC's health service at `ADDRESS`")
	flags.StringVar(&s.service, "grpc-service", "", "the only `SERVICE` that the health service knows, beside the server itself")
	flags.Var(&s.paths, "paths", "the paths that exist and their answers, such as /health=200,/admin=401")
	flags.Var(&s.redirects, "redirects", "paths that redirect, such as /health=https://{host}/health, where {host} is the host that was asked")
	flags.DurationVar(&s.routesAfter, "routes-after", 0, "answer 404 to everything until this `SPAN`")
	flags.StringVar(&s.routesWhile, "routes-while", "", "answer 404 to everything while this `URL` does not answer 200")
	flags.DurationVar(&s.startAfter, "start-after", 0, "listen only after this `SPAN`")
	flags.DurationVar(&s.hangAfter, "hang-after", 0, "go on listening, but answer nothing after this `SPAN`")
	flags.DurationVar(&s.unhealthyUntil, "unhealthy-until", 0, "answer 503 until this `SPAN`")
	flags.DurationVar(&s.unhealthyAfter, "unhealthy-after", 0, "answer 503 after this `SPAN`")
	flags.DurationVar(&s.exitAfter, "exit-after", 0, "end by itself after this `SPAN`")
	flags.IntVar(&s.exitCode, "exit-code", 0, "the `CODE` to end with")
	flags.DurationVar(&s.leakAfter, "leak-after", 0, "take more and more memory after this `SPAN`")
	flags.IntVar(&s.leakMiB, "leak-mib", 16, "`MIB` taken every 100 ms by a leak")
	flags.StringVar(&s.dependency, "depends-on", "", "answer 503 while this `URL` does not answer 200")
	flags.DurationVar(&s.patience, "patience", 500*time.Millisecond, "wait this `SPAN` for a dependency")
	flags.BoolVar(&s.cutOff, "cut-off", false, "close the connection in the middle of each answer")
	flags.BoolVar(&s.breakable, "breakable", false, "answer nothing any more once somebody asks for /break")
	flags.BoolVar(&s.ignoreTerm, "ignore-term", false, "go on when told to stop by SIGTERM")
	flags.IntVar(&s.termCode, "term-code", 0, "the `CODE` to end with when told to stop")
	// ExitOnError: it returns only without an error.
	_ = flags.Parse(arguments)
	return s
}

func serve(arguments []string) {
	s := parse(arguments)
	stop := stopSignal(s.ignoreTerm)
	go leak(s)
	if s.exitAfter > 0 {
		time.AfterFunc(s.exitAfter, func() { os.Exit(s.exitCode) })
	}
	health := newHealth(s)
	go listen(s.early, func(listener net.Listener) error { return serveHTTP(listener, health, s.http2) })
	select {
	case <-stop:
		os.Exit(s.termCode)
	case <-time.After(s.startAfter):
	}
	go listen(s.http, func(listener net.Listener) error { return serveHTTP(listener, health, s.http2) })
	go listen(s.https, func(listener net.Listener) error { return serveTLS(listener, health) })
	go listen(s.grpc, func(listener net.Listener) error { return serveGRPC(listener, health, s.service) })
	<-stop
	os.Exit(s.termCode)
}

func serveHTTP(listener net.Listener, handler http.Handler, http2 bool) error {
	server := http.Server{Handler: handler, Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(http2)
	return server.Serve(listener)
}

// Closed when the process is told to stop and obeys.
func stopSignal(ignore bool) <-chan struct{} {
	if ignore {
		signal.Ignore(syscall.SIGTERM)
		return nil
	}
	told, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	return told.Done()
}

func listen(address string, serve func(net.Listener) error) {
	if address == "" {
		return
	}
	listener, err := net.Listen("tcp", address)
	if err == nil {
		fmt.Println("listening at", address)
		err = serve(listener)
	}
	if !errors.Is(err, net.ErrClosed) {
		log.Fatal(err)
	}
}

// Takes memory and touches it, so that it counts.
func leak(s settings) {
	if s.leakAfter == 0 {
		return
	}
	time.Sleep(s.leakAfter)
	var taken [][]byte
	for range time.Tick(100 * time.Millisecond) {
		more := make([]byte, s.leakMiB<<20)
		for at := 0; at < len(more); at += os.Getpagesize() {
			more[at] = 1
		}
		taken = append(taken, more)
	}
}
