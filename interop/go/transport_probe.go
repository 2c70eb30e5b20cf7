package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"time"

	"github.com/hashicorp/raft"
)

const probeTimeout = 5 * time.Second

// probePipelined is how many requests are sent ahead; more than any window on their way.
const probePipelined = 300

var errProbe = errors.New("go says no")

// serveAnswers is a transport without a server behind it: it answers what the request says, so that a test knows.
func serveAnswers() error {
	transport, err := raft.NewTCPTransport("127.0.0.1:0", nil, 3, probeTimeout, os.Stderr)
	if err != nil {
		return err
	}
	defer transport.Close()
	newLines(os.Stdout).write(started{string(transport.LocalAddr())})
	go func() {
		for rpc := range transport.Consumer() {
			rpc.Respond(answerTo(rpc))
		}
	}()
	_, err = io.Copy(io.Discard, os.Stdin) // Until the test is done.
	return err
}

// answerTo fails with a body where the term is 13, and without one where it is 14.
func answerTo(rpc raft.RPC) (any, error) {
	header := raft.RPCHeader{ProtocolVersion: 3, ID: []byte("go"), Addr: []byte("go:1")}
	fail := func(term uint64, response any) (any, error) {
		switch term {
		case 13:
			return response, errProbe
		case 14:
			return nil, errProbe
		default:
			return response, nil
		}
	}
	switch c := rpc.Command.(type) {
	case *raft.AppendEntriesRequest:
		last := c.PrevLogEntry + uint64(len(c.Entries))
		return fail(c.Term, &raft.AppendEntriesResponse{RPCHeader: header, Term: c.Term, LastLog: last, Success: true})
	case *raft.RequestVoteRequest:
		return fail(c.Term, &raft.RequestVoteResponse{RPCHeader: header, Term: c.Term, Granted: c.LeadershipTransfer})
	case *raft.InstallSnapshotRequest:
		sum := crc32.NewIEEE()
		size, err := io.Copy(sum, rpc.Reader)
		return &raft.InstallSnapshotResponse{Term: uint64(sum.Sum32()), Success: size == c.Size}, err
	case *raft.TimeoutNowRequest:
		return &raft.TimeoutNowResponse{}, nil
	default:
		return newerAnswer(header, c)
	}
}

type probed struct {
	RPC     string `json:"rpc"`
	Term    uint64 `json:"term"`
	LastLog uint64 `json:"lastLog,omitempty"`
	Success bool   `json:"success"`
	Error   string `json:"error,omitempty"`
}

// probe calls a transport with every RPC of this version and prints what it was answered.
func probe(address string) error {
	transport, err := raft.NewTCPTransport("127.0.0.1:0", nil, 3, probeTimeout, os.Stderr)
	if err != nil {
		return err
	}
	defer transport.Close()
	caller := &prober{transport: transport, target: raft.ServerAddress(address),
		header: raft.RPCHeader{ProtocolVersion: 3, ID: []byte("go"), Addr: []byte(transport.LocalAddr())}}
	caller.appendEntries()
	caller.votes()
	caller.snapshots()
	if err := caller.pipeline(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(caller.found)
}

type prober struct {
	transport *raft.NetworkTransport
	target    raft.ServerAddress
	header    raft.RPCHeader
	found     []probed
}

func (p *prober) note(rpc string, term, lastLog uint64, success bool, err error) {
	found := probed{RPC: rpc, Term: term, LastLog: lastLog, Success: success}
	if err != nil {
		found.Error = err.Error()
	}
	p.found = append(p.found, found)
}

func (p *prober) request(term uint64, entries int) *raft.AppendEntriesRequest {
	request := &raft.AppendEntriesRequest{RPCHeader: p.header, Term: term, PrevLogEntry: 10, PrevLogTerm: 4, Leader: p.header.Addr}
	for i := range entries {
		request.Entries = append(request.Entries, &raft.Log{Index: uint64(11 + i), Term: 4, Type: raft.LogCommand,
			Data: bytes.Repeat([]byte{byte(i)}, i*i), AppendedAt: time.Now()})
	}
	return request
}

func (p *prober) appendEntries() {
	// No entries, few, more than a short list holds; then an error.
	for i, term := range []uint64{5, 6, 7, 14} {
		var response raft.AppendEntriesResponse
		err := p.transport.AppendEntries("node", p.target, p.request(term, []int{0, 3, 300, 1}[i]), &response)
		p.note("AppendEntries", response.Term, response.LastLog, response.Success, err)
	}
}

func (p *prober) votes() {
	for _, term := range []uint64{127, 255, 65_536, 1<<53 - 1, 14} {
		var response raft.RequestVoteResponse
		err := p.transport.RequestVote("node", p.target, &raft.RequestVoteRequest{RPCHeader: p.header, Term: term}, &response)
		p.note("RequestVote", response.Term, 0, response.Granted, err)
	}
	p.preVote()
	var response raft.TimeoutNowResponse
	err := p.transport.TimeoutNow("node", p.target, &raft.TimeoutNowRequest{RPCHeader: p.header}, &response)
	p.note("TimeoutNow", 0, 0, err == nil, err)
}

func (p *prober) snapshots() {
	for _, size := range []int{0, 1, 16 << 20} {
		state := bytes.Repeat([]byte("0123456789abcde\n"), size/16+1)[:size]
		var response raft.InstallSnapshotResponse
		err := p.transport.InstallSnapshot("node", p.target, &raft.InstallSnapshotRequest{RPCHeader: p.header, Term: 5,
			Size: int64(size), SnapshotVersion: 1}, &response, bytes.NewReader(state))
		sent := crc32.ChecksumIEEE(state)
		p.note("InstallSnapshot", response.Term, 0, response.Success && response.Term == uint64(sent), err)
	}
}

// pipeline sends far ahead and checks that answers come in the order of the requests.
func (p *prober) pipeline() error {
	pipeline, err := p.transport.AppendEntriesPipeline("node", p.target)
	if err != nil {
		return err
	}
	defer pipeline.Close()
	sending := make(chan error, 1)
	go func() {
		for term := range uint64(probePipelined) {
			if _, err := pipeline.AppendEntries(p.request(100+term, 20), new(raft.AppendEntriesResponse)); err != nil {
				sending <- err
				return
			}
		}
		sending <- nil
	}()
	for term := range uint64(probePipelined) {
		select {
		case future := <-pipeline.Consumer():
			if err := future.Error(); err != nil {
				return err
			}
			if response := future.Response(); response.Term != 100+term || response.LastLog != 30 {
				return fmt.Errorf("answer %d of the pipeline is %+v", term, response)
			}
		case <-time.After(probeTimeout):
			return fmt.Errorf("answer %d of the pipeline does not come", term)
		}
	}
	p.note("Pipeline", probePipelined, 0, true, nil)
	return <-sending
}
