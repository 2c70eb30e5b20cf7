import type { ServerId, StateMachine } from '@raftkit/interface'
import type { Stream } from '../random/streams.ts'
import type { Process } from './process.ts'
import type { Surroundings } from './surroundings.ts'

/** Commands that take their time: the process stands still in the middle of a turn, or the state machine is slow. */
export class Stalls<M extends StateMachine<R>, R> {
  readonly #id: ServerId
  readonly #world: Surroundings<M, R>
  readonly #process: Process
  readonly #random: Stream
  readonly #wake: (forMs: number) => void
  /** World time until which the event loop stands still. */
  #stillUntil = 0

  /** `wake` lets everything run that was due meanwhile. */
  constructor(
    id: ServerId,
    world: Surroundings<M, R>,
    process: Process,
    random: Stream,
    wake: (forMs: number) => void,
  ) {
    this.#id = id
    this.#world = world
    this.#process = process
    this.#random = random
    this.#wake = wake
  }

  /** A command is about to be applied. */
  beforeApply(): void | Promise<void> {
    const { options, time, isStormy } = this.#world
    if (!isStormy()) return
    const random = this.#random
    if (random.chance(options.stalls)) this.standStill(random.exponential(options.stallMs))
    if (random.chance(options.slowApply))
      return this.#process.pass(
        time.sleep(this.#process.aheadMs + random.exponential(options.slowApplyMs)),
      )
  }

  /** A snapshot is about to replace the state: what is slow with commands is slow with that. */
  beforeRestore(): void | Promise<void> {
    const { options, time, isStormy } = this.#world
    if (!isStormy() || options.slowApply === 0) return
    return this.#process.pass(time.sleep(this.#random.exponential(options.slowApplyMs)))
  }

  /** The event loop stands still in the middle of a turn, while there are faults. */
  standStill(forMs: number): void {
    const { trace, time, isStormy } = this.#world
    if (!isStormy()) return
    trace.tell(this.#id, 'stands still for', forMs)
    const until = time.now() + forMs
    // Within a longer stall of the same turn.
    if (until <= this.#stillUntil) return
    this.#stillUntil = until
    this.#process.pause(forMs)
    time.after(forMs, () => {
      if (this.#stillUntil === until) this.#wake(forMs)
    })
  }
}
