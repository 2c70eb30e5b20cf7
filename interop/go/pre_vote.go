//go:build !raft16

package main

import (
	"fmt"

	"github.com/hashicorp/raft"
)

func setPreVote(config *raft.Config, enabled bool) {
	config.PreVoteDisabled = !enabled
}

func newerMessage(name string) (any, error) {
	switch name {
	case "RequestPreVoteRequest":
		return &raft.RequestPreVoteRequest{}, nil
	case "RequestPreVoteResponse":
		return &raft.RequestPreVoteResponse{}, nil
	}
	return nil, fmt.Errorf("unknown message %q", name)
}
