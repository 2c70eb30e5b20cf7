// Runs a suite inside a test, to see which of its cases fail.

import type { Runner } from '@raftkit/conformance'

interface Case {
  readonly title: string
  readonly body: () => Promise<void>
}

/** A case that does not end within this time has failed: some defects make promises that never settle. */
const PATIENCE_MS = 500

/** Titles of the cases that failed, in order, with the reason; only cases whose titles contain `part` are run. */
export async function failuresOf(
  register: (runner: Runner) => void,
  part = '',
): Promise<Map<string, unknown>> {
  const cases: Case[] = []
  register({
    describe: (_name, body) => body(),
    it: (title, body) => cases.push({ title, body }),
  })
  const failures = new Map<string, unknown>()
  for (const { title, body } of cases.filter((each) => each.title.includes(part))) {
    try {
      await withPatience(body)
    } catch (error) {
      failures.set(title, error)
    }
  }
  return failures
}

async function withPatience(body: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the case did not end')), PATIENCE_MS)
  })
  try {
    await Promise.race([body(), late])
  } finally {
    clearTimeout(timer)
  }
}

/** The object with some of its methods replaced; all others run on the object itself. */
export function withMethods<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(inner, name): unknown {
      if (name in methods) return Reflect.get(methods, name)
      const value: unknown = Reflect.get(inner, name, inner)
      return typeof value === 'function' ? value.bind(inner) : value
    },
  })
}
