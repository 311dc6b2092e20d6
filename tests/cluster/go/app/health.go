package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
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

// How the app is, in every protocol that it speaks.
type health struct {
	settings
	start time.Time
}

func newHealth(s settings) *health { return &health{settings: s, start: time.Now()} }

// ServeHTTP answers a path with its status, or as the app is.
func (h *health) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	h.hang(request.Context())
	status, found := h.paths[request.URL.Path]
	switch {
	case !found:
		status = http.StatusNotFound
	case status == http.StatusOK && !h.healthy(request.Context()):
		status = http.StatusServiceUnavailable
	}
	response.WriteHeader(status)
	fmt.Fprintln(response, http.StatusText(status))
}

// Does not come back while the app hangs, until the caller gives up.
func (h *health) hang(caller context.Context) {
	if h.hangAfter > 0 && time.Since(h.start) > h.hangAfter {
		<-caller.Done()
	}
}

func (h *health) healthy(caller context.Context) bool {
	if h.unhealthyAfter > 0 && time.Since(h.start) > h.unhealthyAfter {
		return false
	}
	return h.dependency == "" || answersOK(caller, h.dependency)
}

// Less than a probe's default time-out, so that a dependency that is away makes no time-out here.
const patience = 500 * time.Millisecond

func answersOK(caller context.Context, url string) bool {
	limited, cancel := context.WithTimeout(caller, patience)
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
