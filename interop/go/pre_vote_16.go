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

func newerAnswer(_ raft.RPCHeader, command any) (any, error) {
	return nil, fmt.Errorf("unexpected command %T", command)
}

func (p *prober) preVote() {}
