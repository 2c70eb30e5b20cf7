/** Something that happens once, and can be awaited before or after. */
export interface Occasion<T = void> {
  readonly promise: Promise<T>
  readonly happen: (value: T) => void
}

/** A new {@link Occasion}. */
export function occasion<T = void>(): Occasion<T> {
  let happen: (value: T) => void = () => {}
  const promise = new Promise<T>((resolve) => {
    happen = resolve
  })
  return { promise, happen }
}

/** Resolves after the event loop has been round once: what is under way elsewhere goes on. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Keeps a rejection from being reported as unhandled until the test looks at it. */
export function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
