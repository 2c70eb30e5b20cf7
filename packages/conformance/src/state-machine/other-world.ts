// Replaces what differs between servers: a state machine that looks at any of it gives itself away.

/** What a machine could see of its surroundings. */
export interface World {
  /** Milliseconds since the Unix epoch. */
  readonly now: number
  /** What every source of randomness gives, 0 to 1. */
  readonly chance: number
}

/**
 * Runs `body` with `Date`, `performance.now`, `Math.random` and the global `crypto` as the world has them, and puts
 * them back. What a machine imports from `node:crypto` and the like is out of reach.
 */
export async function inWorld<T>(world: World, body: () => Promise<T>): Promise<T> {
  const restores = [
    replace(globalThis, 'Date', datesOf(world)),
    replace(Math, 'random', () => world.chance),
    replace(performance, 'now', () => world.now),
    replace(crypto, 'getRandomValues', fillWith(world)),
    replace(crypto, 'randomUUID', () => uuidOf(world)),
  ]
  try {
    return await body()
  } finally {
    for (const restore of restores) restore()
  }
}

function replace(owner: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, name)
  Object.defineProperty(owner, name, { value, configurable: true, writable: true })
  return () => {
    if (before) Object.defineProperty(owner, name, before)
    else Reflect.deleteProperty(owner, name)
  }
}

/** The platform's Date, at a standstill. */
function datesOf(world: World): DateConstructor {
  return new Proxy(Date, {
    construct: (target, given: readonly unknown[]): object =>
      Reflect.construct(target, given.length === 0 ? [world.now] : given) as object,
    apply: (target) => new target(world.now).toString(),
    get: (target, name): unknown => {
      if (name === 'now') return () => world.now
      return Reflect.get(target, name)
    },
  })
}

function fillWith(world: World): (array: Uint8Array) => Uint8Array {
  return (array) => array.fill(Math.floor(world.chance * 255))
}

function uuidOf(world: World): string {
  const digits = Math.floor(world.chance * 1e12)
  return `00000000-0000-4000-8000-${String(digits).padStart(12, '0')}`
}
