// Clients that write all the time, through every node, and remember what they were told.
import type { KvClient, WriteOutcome } from './client.ts'
import type { KeyHistory } from './report.ts'

/** A node that takes writes. */
type Writable = Pick<KvClient, 'put'>

interface Write {
  readonly sentAt: number
  readonly answeredAt: number
  readonly outcome: WriteOutcome
}

const keysPerWriter = 40
const paddingBytes = 64

/** Writers under way. Each writes one key at a time and is the only one to write it. */
export class Workload {
  readonly #clients: readonly Writable[]
  readonly #writers: readonly Promise<void>[]
  readonly #history = new Map<string, KeyHistory>()
  readonly #writes: Write[] = []
  readonly #waiting = new Set<{
    readonly sentAfter: number
    readonly resolve: (ms: number) => void
  }>()
  #stopping = false

  constructor(clients: readonly Writable[], writersPerNode: number) {
    this.#clients = clients
    this.#writers = Array.from({ length: clients.length * writersPerNode }, (_, i) =>
      this.#write(i),
    )
  }

  /** What was written to each key, in order. */
  get history(): ReadonlyMap<string, KeyHistory> {
    return this.#history
  }

  count(outcome: WriteOutcome): number {
    return this.#writes.filter((write) => write.outcome === outcome).length
  }

  /** Milliseconds from `time` until a write that was sent after it is acknowledged. */
  unavailableFrom(time: number): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting.add({ sentAfter: time, resolve: (answeredAt) => resolve(answeredAt - time) })
    })
  }

  /** Lets every writer finish what it is at. */
  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#writers)
  }

  async #write(writer: number): Promise<void> {
    let preferred = writer % this.#clients.length
    let generation = 0
    for (let step = 0; !this.#stopping; step += 1) {
      const slot = step % keysPerWriter
      if (slot === 0) generation += 1
      const key = this.#keyFor(writer, slot, generation)
      const outcome = await this.#put(this.#clients[preferred]!, key)
      // The node may be down: the next write goes through another one.
      if (outcome !== 'acknowledged') {
        preferred = (preferred + 1) % this.#clients.length
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
  }

  /**
   * A write whose outcome is unknown may still happen after later ones, so its key is left alone from then on;
   * a fresh one takes its place.
   */
  #keyFor(writer: number, slot: number, generation: number): string {
    const key = `writer-${writer}/${slot}`
    const history = this.#history.get(key)
    return history?.unknown === undefined ? key : `${key}/${generation}`
  }

  async #put(client: Writable, key: string): Promise<WriteOutcome> {
    const before = this.#history.get(key)
    const version = (before?.version ?? 0) + 1
    const value = `${key} version ${version} ${'.'.repeat(paddingBytes)}`
    const sentAt = performance.now()
    const outcome = await client.put(key, value)
    const answeredAt = performance.now()
    this.#writes.push({ sentAt, answeredAt, outcome })
    this.#history.set(key, remember(before, version, value, outcome))
    if (outcome === 'acknowledged') this.#tellWaiting(sentAt, answeredAt)
    return outcome
  }

  #tellWaiting(sentAt: number, answeredAt: number): void {
    for (const waiting of this.#waiting) {
      if (sentAt < waiting.sentAfter) continue
      this.#waiting.delete(waiting)
      waiting.resolve(answeredAt)
    }
  }
}

function remember(
  before: KeyHistory | undefined,
  version: number,
  value: string,
  outcome: WriteOutcome,
): KeyHistory {
  const history = { ...before, version }
  switch (outcome) {
    case 'acknowledged':
      return { ...history, acknowledged: value }
    case 'unknown':
      return { ...history, unknown: value }
    case 'refused':
      return history
  }
}
