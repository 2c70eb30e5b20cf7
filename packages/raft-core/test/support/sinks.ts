import type { SnapshotStore } from '@raftkit/interface'

/** Calls `listener` whenever a snapshot that is being written to the store is given up. */
export function onCancel(store: SnapshotStore, listener: () => void): void {
  const create = store.create.bind(store)
  store.create = async (description) => {
    const sink = await create(description)
    return {
      id: sink.id,
      write: (chunk) => sink.write(chunk),
      close: () => sink.close(),
      cancel: () => {
        listener()
        return sink.cancel()
      },
    }
  }
}
