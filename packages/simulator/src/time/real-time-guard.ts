/** Calls that bring real time, chance or I/O into a simulation. */
const FORBIDDEN: readonly (readonly [holder: string, name: string])[] = [
  ['Date', 'now'],
  ['performance', 'now'],
  ['Math', 'random'],
  ['crypto', 'getRandomValues'],
  ['crypto', 'randomUUID'],
  ['AbortSignal', 'timeout'],
  ['globalThis', 'setTimeout'],
  ['globalThis', 'setInterval'],
  ['globalThis', 'setImmediate'],
  ['globalThis', 'fetch'],
]

type Call = (this: unknown, ...args: readonly unknown[]) => unknown

/**
 * Reports every use of the platform's clock, timers, chance and network until the returned function is called. What is
 * used works as before. It watches the whole process: for processes that do nothing but simulate, one run at a time.
 */
export function guardRealTime(
  report: (what: string, callers: readonly string[]) => void,
): () => void {
  const restorers: (() => void)[] = []
  for (const [holder, name] of FORBIDDEN) {
    const object: unknown = holder === 'globalThis' ? globalThis : Reflect.get(globalThis, holder)
    if (typeof object !== 'object' && typeof object !== 'function') continue
    if (object === null) continue
    const original: unknown = Reflect.get(object, name)
    if (typeof original !== 'function') continue
    const call = original as Call
    const words = holder === 'globalThis' ? name : `${holder}.${name}`
    replace(object, name, function guarded(this: unknown, ...args: readonly unknown[]): unknown {
      report(words, callers())
      return Reflect.apply(call, this, args)
    })
    restorers.push(() => replace(object, name, original))
  }
  const PlainDate = Date
  const guardedDate = new Proxy(PlainDate, {
    construct(target, args: unknown[]): object {
      if (args.length === 0) report('new Date', callers())
      return Reflect.construct(target, args) as object
    },
  })
  replace(globalThis, 'Date', guardedDate)
  restorers.push(() => replace(globalThis, 'Date', PlainDate))
  return () => {
    for (const restore of restorers) restore()
  }
}

/** Who called, innermost first; empty when the platform keeps no stacks. */
function callers(): readonly string[] {
  const lines = new Error('stack').stack?.split('\n') ?? []
  return lines.filter((line) => line.trimStart().startsWith('at ')).slice(2)
}

function replace(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, configurable: true })
}
