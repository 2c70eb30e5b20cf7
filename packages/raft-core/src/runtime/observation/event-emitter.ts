import { type Logger, messageOf } from '@raftkit/interface'

/**
 * Typed events. What happens is queued and told when {@link EventEmitter.flush} is called, never inside a step. A
 * listener that throws, or rejects, is logged and disturbs nobody.
 */
export class EventEmitter<Events extends object> {
  readonly #logger: Logger
  readonly #listeners: { [K in keyof Events]?: Set<(event: Events[K]) => void> } = {}
  #queue: (() => void)[] = []

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Calls `listener` for each event of that name until the returned function is called. */
  on<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): () => void {
    const listeners: Set<(event: Events[K]) => void> = (this.#listeners[name] ??= new Set())
    // A function of its own, so that the same listener may be added twice and removed once.
    const entry = (event: Events[K]): void => listener(event)
    listeners.add(entry)
    return () => void listeners.delete(entry)
  }

  /** Notes that something happened. */
  emit<K extends keyof Events>(name: K, event: Events[K]): void {
    const listeners = this.#listeners[name]
    if (listeners !== undefined && listeners.size > 0)
      this.#queue.push(() => this.#tell(name, listeners, event))
  }

  /** Tells listeners what was noted. */
  flush(): void {
    while (this.#queue.length > 0) {
      const queue = this.#queue
      this.#queue = []
      for (const tell of queue) tell()
    }
  }

  #tell<K extends keyof Events>(
    name: K,
    listeners: ReadonlySet<(event: Events[K]) => void>,
    event: Events[K],
  ): void {
    for (const listener of Array.from(listeners))
      try {
        const result: unknown = listener(event)
        // Nobody waits for an asynchronous listener, but its failure must not end the process.
        if (result instanceof Promise) result.catch((error: unknown) => this.#failed(name, error))
      } catch (error) {
        this.#failed(name, error)
      }
  }

  #failed(name: keyof Events, error: unknown): void {
    this.#logger.error({ event: name, error: messageOf(error) }, 'an event listener failed')
  }
}
