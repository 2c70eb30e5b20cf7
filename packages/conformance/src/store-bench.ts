import type { Kill, Killed, KillMoment, KillScript } from './kill.ts'

/** How a suite gets at an implementation; the suites' options contain it. */
export interface StoreHooks<S> {
  /** A new, empty store. */
  open(): Promise<S>
  /** Closes the store and opens the same data again. Needed when the manifest says `reopen`. */
  reopen?(store: S): Promise<S>
  /**
   * Opens what a crash at this moment would leave, while `store` stays open: for files, a store on a copy of the
   * directory as it is now. Needed when the manifest says `durable`.
   */
  crash?(store: S): Promise<S>
  /** Has a process that changes the data ended by force; `killing` of `@raftkit/conformance/node` makes one. */
  readonly kill?: Kill<S>
  /** Called after each test for every store that was opened in it, closed by then: removes its files. */
  dispose?(store: S): Promise<void>
}

/** The stores of one test. */
export class Workbench<S> {
  readonly #hooks: StoreHooks<S>
  readonly #close: (store: S) => Promise<void>
  readonly #opened: S[] = []

  constructor(hooks: StoreHooks<S>, close: (store: S) => Promise<void>) {
    this.#hooks = hooks
    this.#close = close
  }

  open(): Promise<S> {
    return this.#keep(this.#hooks.open())
  }

  reopen(store: S): Promise<S> {
    const opening = this.#hooks.reopen?.(store)
    if (!opening) throw new Error('the manifest says reopen, but no reopen was given')
    return this.#keep(opening)
  }

  crash(store: S): Promise<S> {
    const opening = this.#hooks.crash?.(store)
    if (!opening) throw new Error('the manifest says durable, but no crash was given')
    return this.#keep(opening)
  }

  /** Has a process carry out so many steps, the last one up to the moment, and checks that it did. */
  async kill(script: KillScript, steps: number, moment?: KillMoment): Promise<Killed<S>> {
    const killed = await this.#hooks.kill?.({ script, steps, ...(moment && { moment }) })
    if (!killed) throw new Error('no kill was given')
    this.#opened.push(killed.store)
    const { acknowledged, diskCalls } = killed
    const least = moment ? steps - 1 : steps
    if (acknowledged < least || acknowledged > steps || diskCalls.length !== acknowledged)
      throw new Error(
        `the process was to acknowledge ${least} to ${steps} steps; it says ${acknowledged}, and the disk calls of ${diskCalls.length}`,
      )
    return killed
  }

  /** Closes everything, then removes it. */
  async end(): Promise<void> {
    for (const store of this.#opened) await this.#close(store)
    for (const store of this.#opened) await this.#hooks.dispose?.(store)
  }

  async #keep(opening: Promise<S>): Promise<S> {
    const store = await opening
    this.#opened.push(store)
    return store
  }
}

/** Runs a test on a new store and closes what it opened, also when it fails. */
export async function onWorkbench<S>(
  hooks: StoreHooks<S>,
  close: (store: S) => Promise<void>,
  body: (store: S, bench: Workbench<S>) => Promise<void>,
): Promise<void> {
  const bench = new Workbench(hooks, close)
  try {
    await body(await bench.open(), bench)
  } finally {
    await bench.end()
  }
}
