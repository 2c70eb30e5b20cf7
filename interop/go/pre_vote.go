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

func newerAnswer(header raft.RPCHeader, command any) (any, error) {
	if c, is := command.(*raft.RequestPreVoteRequest); is {
		return &raft.RequestPreVoteResponse{RPCHeader: header, Term: c.Term, Granted: true}, nil
	}
	return nil, fmt.Errorf("unexpected command %T", command)
}

func (p *prober) preVote() {
	var response raft.RequestPreVoteResponse
	err := p.transport.RequestPreVote("node", p.target, &raft.RequestPreVoteRequest{RPCHeader: p.header, Term: 8}, &response)
	p.note("RequestPreVote", response.Term, 0, response.Granted, err)
}
