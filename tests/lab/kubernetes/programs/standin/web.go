package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// statsAge is how old LiveKit's node statistics may be before it answers 406; they are refreshed
// through Redis (facts/talos-kubernetes.md §6).
const statsAge = 4 * time.Second

// livekit answers OK on / while Redis answers it, unless a test asks for the 406.
func livekit() {
	var updated atomic.Int64
	redis := os.Getenv("REDIS_ADDRESS")
	go func() {
		for ; ; time.Sleep(time.Second) {
			if redis == "" || pong(redis) {
				updated.Store(time.Now().UnixNano())
			}
		}
	}()
	http.HandleFunc("GET /{$}", func(answer http.ResponseWriter, _ *http.Request) {
		at := time.Unix(0, updated.Load())
		if _, err := os.Stat("/lab/livekit-not-ready"); err == nil || time.Since(at) > statsAge {
			answer.WriteHeader(http.StatusNotAcceptable)
			fmt.Fprintf(answer, "Not Ready\nNode Updated At %s", at)
			return
		}
		fmt.Fprint(answer, "OK")
	})
	go listen(":7881", func(connection net.Conn) { connection.Close() })
	serve(":7880")
}

// typesense answers its health check and nothing else.
func typesense() {
	http.HandleFunc("GET /health", func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Content-Type", "application/json")
		fmt.Fprint(answer, `{"ok":true}`)
	})
	serve(":8108")
}

func serve(address string) {
	go func() {
		fmt.Fprintln(os.Stderr, http.ListenAndServe(address, nil))
		os.Exit(1)
	}()
	awaitTermination()
}

func listen(address string, handle func(net.Conn)) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for {
		if connection, err := listener.Accept(); err == nil {
			handle(connection)
		}
	}
}

func pong(address string) bool {
	connection, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(time.Second))
	reply := make([]byte, 7)
	if _, err := connection.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	_, err = connection.Read(reply)
	return err == nil && string(reply) == "+PONG\r\n"
}
