package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// The status that each path answers with; a path that is not among them does not exist.
type answers map[string]int

func (a answers) String() string { return fmt.Sprint(map[string]int(a)) }

func (a *answers) Set(text string) error {
	*a = answers{}
	for _, word := range strings.Split(text, ",") {
		path, status, found := strings.Cut(word, "=")
		code, err := strconv.Atoi(status)
		if !found || err != nil {
			return fmt.Errorf("%q is not PATH=STATUS", word)
		}
		(*a)[path] = code
	}
	return nil
}

// Where each path redirects to, instead of answering.
type redirects map[string]string

func (r redirects) String() string { return fmt.Sprint(map[string]string(r)) }

func (r *redirects) Set(text string) error {
	*r = redirects{}
	for _, word := range strings.Split(text, ",") {
		path, location, found := strings.Cut(word, "=")
		if !found {
			return fmt.Errorf("%q is not PATH=LOCATION", word)
		}
		(*r)[path] = location
	}
	return nil
}

// How the app is, in every protocol that it speaks.
type health struct {
	settings
	start  time.Time
	broken atomic.Bool
}

func newHealth(s settings) *health { return &health{settings: s, start: time.Now()} }

// ServeHTTP answers a path with its status, or as the app is.
func (h *health) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	if h.breakable && request.URL.Path == "/break" {
		h.broken.Store(true)
		return
	}
	h.hang(request.Context())
	if location, found := h.redirects[request.URL.Path]; found {
		redirect(response, request, location)
		return
	}
	status, found := h.paths[request.URL.Path]
	switch {
	case !found || !h.routed(request.Context()):
		status = http.StatusNotFound
	case status == http.StatusOK && !h.healthy(request.Context()):
		status = http.StatusServiceUnavailable
	}
	if h.cutOff {
		response.Header().Set("Content-Length", "4096")
	}
	response.WriteHeader(status)
	fmt.Fprintln(response, http.StatusText(status))
}

func redirect(response http.ResponseWriter, request *http.Request, location string) {
	host, _, err := net.SplitHostPort(request.Host)
	if err != nil {
		host = request.Host
	}
	response.Header().Set("Location", strings.ReplaceAll(location, "{host}", host))
	response.WriteHeader(http.StatusMovedPermanently)
}

// Whether the paths are there yet, and still.
func (h *health) routed(caller context.Context) bool {
	if time.Since(h.start) < h.routesAfter {
		return false
	}
	return h.routesWhile == "" || h.answersOK(caller, h.routesWhile)
}

// Does not come back while the app hangs, until the caller gives up.
func (h *health) hang(caller context.Context) {
	if h.broken.Load() || h.hangAfter > 0 && time.Since(h.start) > h.hangAfter {
		<-caller.Done()
	}
}

func (h *health) healthy(caller context.Context) bool {
	if time.Since(h.start) < h.unhealthyUntil {
		return false
	}
	if h.unhealthyAfter > 0 && time.Since(h.start) > h.unhealthyAfter {
		return false
	}
	return h.dependency == "" || h.answersOK(caller, h.dependency)
}

// By default less than a probe's time-out, so that a dependency that is away makes no time-out here.
func (h *health) answersOK(caller context.Context, url string) bool {
	limited, cancel := context.WithTimeout(caller, h.patience)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}
