// Command ferretdb is a server for the tests of the MongoDB back end: FerretDB over SQLite files.
//
//	ferretdb ADDRESS FOLDER [PRAGMA]
//
// It listens on ADDRESS (port 0 takes a free one), prints its URL, and ends on SIGTERM or when its input ends, so that it
// does not outlive the tests that started it.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: ferretdb ADDRESS FOLDER [PRAGMA]")
		os.Exit(2)
	}
	// The files need not survive a power cut.
	files := "file:" + os.Args[2] + "/?_pragma=synchronous(off)"
	for _, pragma := range os.Args[3:] {
		files += "&_pragma=" + pragma
	}
	server, err := ferretdb.New(&ferretdb.Config{
		Logger:    slog.New(slog.NewTextHandler(io.Discard, nil)),
		Listener:  ferretdb.ListenerConfig{TCP: os.Args[1]},
		Handler:   "sqlite",
		SQLiteURL: files,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go func() {
		fmt.Println(server.MongoDBURI())
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	_ = server.Run(ctx)
}
