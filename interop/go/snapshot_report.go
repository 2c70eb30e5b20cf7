package main

import (
	"encoding/json"
	"os"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

type snapshotReport struct {
	ID                 string   `json:"id"`
	Index              uint64   `json:"index"`
	Term               uint64   `json:"term"`
	ConfigurationIndex uint64   `json:"configurationIndex"`
	Size               int64    `json:"size"`
	Members            []member `json:"members"`
	Digest             kvDigest `json:"digest"`
}

// reportSnapshots prints what hashicorp/raft finds in a data directory, newest first. Opening a snapshot checks its
// checksum; restoring it checks that the state machine understands it.
func reportSnapshots(directory string) error {
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr})
	store, err := raft.NewFileSnapshotStoreWithLogger(directory, 100, logger)
	if err != nil {
		return err
	}
	metas, err := store.List()
	if err != nil {
		return err
	}
	reports := []snapshotReport{}
	for _, meta := range metas {
		_, state, err := store.Open(meta.ID)
		if err != nil {
			return err
		}
		machine := newKvMachine()
		if err := machine.Restore(state); err != nil {
			return err
		}
		reports = append(reports, snapshotReport{meta.ID, meta.Index, meta.Term, meta.ConfigurationIndex, meta.Size,
			membersOf(meta.Configuration), machine.digest()})
	}
	return json.NewEncoder(os.Stdout).Encode(reports)
}
