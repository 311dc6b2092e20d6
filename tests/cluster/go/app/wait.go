package main

import (
	"net/http"
	"time"
)

func wait(url string) {
	client := http.Client{Timeout: time.Second}
	for {
		if answer, err := client.Get(url); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(200 * time.Millisecond)
	}
}
