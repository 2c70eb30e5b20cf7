// Command peer is hashicorp/raft as raftkit's tests and measurements meet it: a server that is driven over its standard
// input and output, and the tools that read what such a server leaves on disk.
package main

import (
	"fmt"
	"os"
)

const usage = `usage:
  peer serve --id <id> --data <directory> [--address <host:port>] [--store bolt|wal|inmem] [--machine kv|counter|batch-counter]
  peer snapshots <directory>       lists, verifies and restores the snapshots of a stopped server
  peer export-log <directory>      writes the log, term and vote of a stopped server to the standard output
  peer recode                      decodes and encodes the messages that come in as JSON lines
  peer answer                      a transport that answers as the requests say
  peer probe <host:port>           calls a transport with every request and says what was answered`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 0 {
		return fmt.Errorf("no command\n%s", usage)
	}
	switch name, rest := arguments[0], arguments[1:]; name {
	case "serve":
		return serve(rest)
	case "snapshots":
		return withOne(rest, reportSnapshots)
	case "export-log":
		return withOne(rest, exportLog)
	case "answer":
		return serveAnswers()
	case "probe":
		return withOne(rest, probe)
	case "recode":
		return recode(os.Stdin, os.Stdout)
	default:
		return fmt.Errorf("unknown command %q\n%s", name, usage)
	}
}

func withOne(arguments []string, command func(argument string) error) error {
	if len(arguments) != 1 {
		return fmt.Errorf("expected one argument\n%s", usage)
	}
	return command(arguments[0])
}
