// Reads a Grafana dashboard strictly, by what Grafana itself defines of one: dashboard FILE
//
// A field that Grafana does not know, one that it wants and that is not there, a value out of its
// range: each is a line on standard error, and fails.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	// Without them the options of panels and queries would be any JSON.
	plugins.RegisterDefaultPlugins()
	text, err := os.ReadFile(os.Args[1])
	fail(err)
	var read dashboard.Dashboard
	fail(read.UnmarshalJSONStrict(text))
	fail(read.Validate())
	fmt.Println(len(read.Panels))
}

func fail(err error) {
	// The library gives an empty list where nothing is wrong, which is not nil.
	var problems cog.BuildErrors
	if err == nil || errors.As(err, &problems) && len(problems) == 0 {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
