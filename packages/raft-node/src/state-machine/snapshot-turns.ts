import type { Clock, SnapshotWriter } from '@raftkit/interface'

/** Bytes of a snapshot after which the event loop turns once. */
const TURN_BYTES = 256 * 1024

/** Writes what it is given, and now and then lets everything else have a turn: a store may never wait for its disk. */
export function turningWriter(writer: SnapshotWriter, clock: Clock): SnapshotWriter {
  let sinceTurn = 0
  return {
    write: async (chunk) => {
      await writer.write(chunk)
      sinceTurn += chunk.byteLength
      if (sinceTurn < TURN_BYTES) return
      sinceTurn = 0
      await new Promise<void>((resolve) => clock.afterInput(resolve))
    },
  }
}
