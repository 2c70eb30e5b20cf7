import { type Index, RaftError, type Term } from '@raftkit/interface'
import type { Stream } from '../random/streams.ts'
import type { Process } from '../server/process.ts'
import type { VirtualTime } from '../time/virtual-time.ts'
import { DiskImage } from './disk-image.ts'

/** How a disk behaves. Times are milliseconds, shares from 0 to 1. */
export interface DiskWeather {
  readonly meanReadMs: number
  readonly meanWriteMs: number
  /** Share of writes that take `slowMs` instead. */
  readonly slow: number
  readonly slowMs: number
  /** Share of writes whose sync fails. */
  readonly failing: number
  /** Share of writes under way that a crash leaves whole. */
  readonly kept: number
  /** Share of writes under way of which a crash leaves only the beginning. */
  readonly torn: number
}

/** A disk that does what it should, quickly. */
export const FINE_WEATHER: DiskWeather = {
  meanReadMs: 0.1,
  meanWriteMs: 0.3,
  slow: 0,
  slowMs: 0,
  failing: 0,
  kept: 0.5,
  torn: 0.2,
}

/** A write on its way to the disk. */
interface PendingWrite {
  readonly lane: 'log' | 'snapshot'
  readonly what: string
  readonly apply: () => void
}

/** What happens around reads and writes. */
export interface DiskEvents {
  /** Something was read, or a write begins; whoever asked has not gone on yet. */
  readonly onCall: () => void
  /** A write has become durable; nobody has been told yet. */
  readonly onDurable: (what: string) => void
  /** A write failed. */
  readonly onFailure: (what: string) => void
  /** A crash befell a write under way. */
  readonly onCut: (fate: WriteFate) => void
  /** The store contract was broken by the server. */
  readonly onMisuse: (message: string) => void
}

/** What a crash makes of a write under way. */
export type WriteFate = 'kept' | 'lost' | 'torn'

/**
 * One server's disk. A write is durable when its time is over; a crash before that keeps it, loses it or tears it, by
 * chance. A torn write is dropped as a whole when the disk is opened, as a store must that appends in one atomic write.
 * The image outlives every process that uses it.
 */
export class SimulatedDisk {
  weather: DiskWeather = FINE_WEATHER
  /** Writes fail for want of space. */
  isFull = false
  readonly time: VirtualTime
  readonly random: Stream
  readonly #events: DiskEvents
  #image = new DiskImage()
  /** What was on the disk each time before it was wiped. */
  readonly #lost: DiskImage[] = []
  #pending: PendingWrite[] = []
  #snapshots = 0
  /** Ends of writes that wait until the disk goes on; undefined while it does not hang. */
  #hanging: (() => void)[] | undefined

  constructor(time: VirtualTime, random: Stream, events: DiskEvents) {
    this.time = time
    this.random = random
    this.#events = events
  }

  /** What is durable. */
  get image(): DiskImage {
    return this.#image
  }

  /** Writes hang. */
  get isHanging(): boolean {
    return this.#hanging !== undefined
  }

  /** Everything on the disk is gone. Nobody may be using it. */
  wipe(): void {
    this.#lost.push(this.#image)
    this.#image = new DiskImage()
  }

  /** Something was on the disk that is gone. */
  get wasWiped(): boolean {
    return this.#lost.length > 0
  }

  /** True when the entry is durable here, or was until the disk was wiped: whoever counted on it was right. */
  held(index: Index, term: Term): boolean {
    return this.#image.holds(index, term) || this.#lost.some((image) => image.holds(index, term))
  }

  /** A new process begins to use the disk: a torn write is dropped. True when there was one. */
  open(): boolean {
    const { torn } = this.#image
    this.#image.torn = undefined
    return torn !== undefined
  }

  /** Writes hang until {@link release}. */
  hang(): void {
    this.#hanging ??= []
  }

  /** The disk goes on. */
  release(): void {
    const hanging = this.#hanging ?? []
    this.#hanging = undefined
    for (const end of hanging) this.time.after(this.#latency(), end)
  }

  /** A number for the next snapshot. */
  nextSnapshot(): number {
    return ++this.#snapshots
  }

  /** Reads something for a process. */
  read<T>(process: Process, take: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const delayMs = this.random.exponential(this.weather.meanReadMs) + process.aheadMs
      this.time.after(delayMs, () =>
        process.run('input', () => {
          this.#events.onCall()
          if (process.isDead) return
          try {
            resolve(take())
          } catch (error) {
            reject(error)
          }
        }),
      )
    })
  }

  /**
   * Writes something for a process. Rejects when the sync fails: then the change may be there or not. Two writes of the
   * log lane must not overlap.
   */
  write(
    process: Process,
    lane: PendingWrite['lane'],
    what: string,
    apply: () => void,
  ): Promise<void> {
    if (process.isDead) return new Promise<void>(() => {})
    if (lane === 'log' && this.#pending.some((pending) => pending.lane === 'log'))
      this.#events.onMisuse(`${what} begins before another change of the store has ended`)
    const pending = { lane, what, apply }
    this.#pending.push(pending)
    this.#events.onCall()
    const fails = this.random.chance(this.weather.failing)
    return new Promise<void>((resolve, reject) => {
      const end = (): void => {
        // A crash took the write away.
        if (!this.#pending.includes(pending)) return
        if (this.#hanging !== undefined) return void this.#hanging.push(end)
        this.#pending = this.#pending.filter((other) => other !== pending)
        const error = this.isFull ? noSpace(what) : fails ? failedSync(what) : undefined
        // What a failed sync left on the disk, nobody knows.
        if (error === undefined || (fails && this.random.chance(0.5))) apply()
        if (error !== undefined) this.#events.onFailure(what)
        else this.#events.onDurable(what)
        process.run('input', () => (error === undefined ? resolve() : reject(error)))
      }
      this.time.after(this.#latency() + process.aheadMs, end)
    })
  }

  /** The process that uses the disk is gone: each write under way is kept, lost or torn, in order. */
  crash(): void {
    const pending = this.#pending
    this.#pending = []
    for (const lane of ['log', 'snapshot'] as const)
      for (const write of pending) {
        if (write.lane !== lane) continue
        const fate = this.#fate()
        this.#events.onCut(fate)
        if (fate === 'kept') write.apply()
        else if (fate === 'torn') this.#image.torn = { what: write.what }
        // What came after it in the same file is lost with it.
        if (fate !== 'kept' && lane === 'log') break
      }
  }

  #fate(): WriteFate {
    const { kept, torn } = this.weather
    const chance = this.random.next()
    if (chance < kept) return 'kept'
    return chance < kept + torn ? 'torn' : 'lost'
  }

  #latency(): number {
    const { meanWriteMs, slow, slowMs } = this.weather
    const latency = this.random.exponential(meanWriteMs)
    return this.random.chance(slow) ? this.random.exponential(slowMs) : latency
  }
}

function failedSync(what: string): RaftError {
  return new RaftError('RAFT_STORE_FAILED', `${what}: input/output error`)
}

function noSpace(what: string): RaftError {
  return new RaftError('RAFT_STORE_FAILED', `${what}: no space left on device`)
}
