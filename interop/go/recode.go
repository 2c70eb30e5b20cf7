package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/hashicorp/go-msgpack/v2/codec"
	"github.com/hashicorp/raft"
)

type message struct {
	Type string `json:"type"`
	Hex  string `json:"hex"`
}

type recoded struct {
	Hex   string `json:"hex"`
	Error string `json:"error,omitempty"`
}

// emptyMessage gives a message to decode into, by the name of its Go type.
func emptyMessage(name string) (any, error) {
	switch name {
	case "AppendEntriesRequest":
		return &raft.AppendEntriesRequest{}, nil
	case "AppendEntriesResponse":
		return &raft.AppendEntriesResponse{}, nil
	case "RequestVoteRequest":
		return &raft.RequestVoteRequest{}, nil
	case "RequestVoteResponse":
		return &raft.RequestVoteResponse{}, nil
	case "InstallSnapshotRequest":
		return &raft.InstallSnapshotRequest{}, nil
	case "InstallSnapshotResponse":
		return &raft.InstallSnapshotResponse{}, nil
	case "TimeoutNowRequest":
		return &raft.TimeoutNowRequest{}, nil
	case "TimeoutNowResponse":
		return &raft.TimeoutNowResponse{}, nil
	case "Log":
		return &raft.Log{}, nil
	case "Configuration":
		return &raft.Configuration{}, nil
	default:
		return newerMessage(name)
	}
}

// recode decodes every message as hashicorp/raft would and answers with the bytes that it would send for it.
func recode(from io.Reader, to io.Writer) error {
	input := bufio.NewScanner(from)
	input.Buffer(nil, 64<<20)
	output := bufio.NewWriter(to)
	encoder := json.NewEncoder(output)
	for input.Scan() {
		var asked message
		if err := json.Unmarshal(input.Bytes(), &asked); err != nil {
			return fmt.Errorf("a line that is no message: %w", err)
		}
		var answer recoded
		if bytes, err := recodeOne(asked); err != nil {
			answer.Error = err.Error()
		} else {
			answer.Hex = hex.EncodeToString(bytes)
		}
		if err := encoder.Encode(answer); err != nil {
			return err
		}
		if err := output.Flush(); err != nil {
			return err
		}
	}
	return input.Err()
}

func recodeOne(asked message) ([]byte, error) {
	bytes, err := hex.DecodeString(asked.Hex)
	if err != nil {
		return nil, err
	}
	value, err := emptyMessage(asked.Type)
	if err != nil {
		return nil, err
	}
	decoder := codec.NewDecoderBytes(bytes, wireHandle)
	if err := decoder.Decode(value); err != nil {
		return nil, err
	}
	if rest := len(bytes) - decoder.NumBytesRead(); rest != 0 {
		return nil, fmt.Errorf("%d bytes are left over", rest)
	}
	var again []byte
	err = codec.NewEncoderBytes(&again, wireHandle).Encode(value)
	return again, err
}
