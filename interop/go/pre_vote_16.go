//go:build raft16

package main

import (
	"fmt"

	"github.com/hashicorp/raft"
)

// setPreVote does nothing: hashicorp/raft has pre-vote since 1.7.
func setPreVote(*raft.Config, bool) {}

func newerMessage(name string) (any, error) {
	return nil, fmt.Errorf("unknown message %q", name)
}
