package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hashicorp/raft"
	boltdb "github.com/hashicorp/raft-boltdb/v2"
	wal "github.com/hashicorp/raft-wal"
)

// boltFile is the log store in a data directory.
const boltFile = "raft.db"

// walCacheEntries is the size of LogCache that Consul, Nomad and Vault use.
const walCacheEntries = 512

type stores struct {
	log    raft.LogStore
	stable raft.StableStore
	closer io.Closer
}

func openStores(kind, directory string) (*stores, error) {
	switch kind {
	case "bolt":
		store, err := boltdb.NewBoltStore(filepath.Join(directory, boltFile))
		if err != nil {
			return nil, err
		}
		return &stores{store, store, store}, nil
	case "wal":
		path := filepath.Join(directory, "wal")
		if err := os.MkdirAll(path, 0o755); err != nil {
			return nil, err
		}
		store, err := wal.Open(path)
		if err != nil {
			return nil, err
		}
		cached, err := raft.NewLogCache(walCacheEntries, store)
		if err != nil {
			return nil, err
		}
		return &stores{cached, store, store}, nil
	case "inmem":
		store := raft.NewInmemStore()
		return &stores{store, store, io.NopCloser(nil)}, nil
	default:
		return nil, fmt.Errorf("unknown store %q", kind)
	}
}

func (s *stores) close() {
	_ = s.closer.Close() // Everything that was promised has been synced before.
}
