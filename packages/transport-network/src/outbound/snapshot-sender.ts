import {
  messageOf,
  RaftError,
  type InstallSnapshotRequest,
  type InstallSnapshotResponse,
} from '@raftkit/interface'
import { encodeRequest } from '@raftkit/wire'
import type { CallGuard } from './call-guard.ts'
import type { NetworkLimits } from '../options.ts'
import type { OutboundConnection, Reply } from './outbound-connection.ts'
import { responseOf } from './rpc-outcome.ts'

/**
 * Sends one snapshot on a connection that carries nothing else. `guard` runs on for as long as there is
 * progress: every piece that the network takes starts `timeoutMs` anew. An answer that comes before the
 * snapshot is all sent ends the sending: the other side does not want the rest.
 */
export async function sendSnapshot(
  connection: OutboundConnection,
  request: InstallSnapshotRequest,
  state: AsyncIterable<Uint8Array>,
  guard: CallGuard,
  timeoutMs: number,
  limits: NetworkLimits,
): Promise<InstallSnapshotResponse> {
  const answer = connection.request('install-snapshot', encodeRequest(request))
  const untilAnswer = new Interruptible(answer)
  const source = state[Symbol.asyncIterator]()
  let finished = false
  try {
    let sent = 0
    for (;;) {
      const next = await untilAnswer.wait(readNext(source))
      if (next === undefined) break
      guard.restart(timeoutMs)
      finished = next.done === true
      if (next.done === true) break
      sent += next.value.byteLength
      if (sent > request.size) throw sizeError(request, `${sent} or more`)
      await sendChunk(connection, next.value, untilAnswer, limits.snapshotChunkBytes, () =>
        guard.restart(timeoutMs),
      )
    }
    if (finished && sent < request.size) throw sizeError(request, `only ${sent}`)
    guard.restart(answerTimeout(timeoutMs, request.size, limits.snapshotProgressBytes))
    return responseOf('install-snapshot', connection.address, await answer)
  } finally {
    connection.end()
    if (!finished) release(source)
  }
}

/** Milliseconds that the answer may take: hashicorp/raft's rule, one timeout per 256 KiB of snapshot. */
export function answerTimeout(timeoutMs: number, size: number, bytesPerTimeout: number): number {
  const scaled = timeoutMs * Math.floor(size / bytesPerTimeout)
  return Math.min(Math.max(timeoutMs, scaled), 2 ** 31 - 1)
}

async function sendChunk(
  connection: OutboundConnection,
  chunk: Uint8Array,
  untilAnswer: Interruptible,
  pieceBytes: number,
  onProgress: () => void,
): Promise<void> {
  for (let start = 0; start < chunk.byteLength && !untilAnswer.ended; start += pieceBytes) {
    const room = connection.write(chunk.subarray(start, start + pieceBytes))
    if (!room) await untilAnswer.wait(connection.drained())
    onProgress()
  }
}

async function readNext(
  source: AsyncIterator<Uint8Array>,
): Promise<IteratorResult<Uint8Array, unknown>> {
  try {
    return await source.next()
  } catch (error) {
    if (RaftError.is(error)) throw error
    throw new RaftError(
      'RAFT_SNAPSHOT_FAILED',
      `the snapshot to send could not be read: ${messageOf(error)}`,
      { cause: error },
    )
  }
}

/** Lets the source close its file. It may be in the middle of a read: nobody waits for it. */
function release(source: AsyncIterator<Uint8Array>): void {
  const closing = source.return?.()
  closing?.catch(() => {})
}

function sizeError(request: InstallSnapshotRequest, actual: string): RaftError {
  return new RaftError(
    'RAFT_SNAPSHOT_FAILED',
    `the snapshot at index ${request.lastLogIndex} was announced with ${request.size} bytes but has ${actual}: ` +
      'the stored snapshot does not agree with its metadata',
    { details: { index: request.lastLogIndex, size: request.size } },
  )
}

/** Waits for many things one after the other, each only until the answer is there or failed. */
class Interruptible {
  #ended = false
  #interrupt: () => void = () => {}

  constructor(answer: Promise<Reply>) {
    const end = (): void => {
      this.#ended = true
      this.#interrupt()
    }
    answer.then(end, end)
  }

  get ended(): boolean {
    return this.#ended
  }

  /** What the promise gives; undefined when the answer was first. */
  wait<T>(promise: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#interrupt = () => resolve(undefined)
      if (this.#ended) resolve(undefined)
      promise.then(resolve, reject)
    })
  }
}
