import { describe, expect, it } from 'vitest'
import type { WriteOutcome } from '../src/client.ts'
import { compare } from '../src/report.ts'
import { Workload } from '../src/workload.ts'

/** Nodes that share one map and whose answers follow `decide`. */
function nodes(
  decide: (count: number) => { readonly outcome: WriteOutcome; readonly stored: boolean },
) {
  const values = new Map<string, string>()
  const afterUnknown = new Set<string>()
  let count = 0
  let wake = (): void => {}
  const put = async (key: string, value: string): Promise<WriteOutcome> => {
    await new Promise((resolve) => setImmediate(resolve))
    count += 1
    if (afterUnknown.has(key)) throw new Error(`${key} was written after an unknown outcome`)
    const { outcome, stored } = decide(count)
    if (stored) values.set(key, value)
    if (outcome === 'unknown') afterUnknown.add(key)
    wake()
    return outcome
  }
  const reached = async (target: number): Promise<void> => {
    while (count < target) await new Promise<void>((resolve) => (wake = resolve))
  }
  return { clients: [{ put }, { put }, { put }], values, reached }
}

const state = (values: ReadonlyMap<string, string>) => ({
  name: 'node',
  digest: { index: 1, keys: values.size, sha256: '' },
  values,
})

describe('Workload', () => {
  it('remembers what it was told, whatever that is', async () => {
    const { clients, values, reached } = nodes((count) => {
      if (count % 11 === 0) return { outcome: 'unknown', stored: count % 2 === 0 }
      if (count % 7 === 0) return { outcome: 'refused', stored: false }
      return { outcome: 'acknowledged', stored: true }
    })
    const workload = new Workload(clients, 2)
    await reached(600)
    await workload.stop()
    expect(compare(workload.history, [state(values)])).toMatchObject({ lost: [], corrupt: [] })
    expect(workload.count('unknown')).toBeGreaterThan(0)
    expect(workload.count('refused')).toBeGreaterThan(0)
  })

  it('notices a store that forgets', async () => {
    const { clients, values, reached } = nodes((count) => ({
      outcome: 'acknowledged',
      stored: count % 50 !== 0,
    }))
    const workload = new Workload(clients, 1)
    await reached(100)
    await workload.stop()
    values.delete([...values.keys()][0]!)
    expect(compare(workload.history, [state(values)]).lost.length).toBeGreaterThan(0)
  })

  it('measures until a write that was sent later is acknowledged', async () => {
    let down = false
    const { clients, reached } = nodes(() =>
      down ? { outcome: 'refused', stored: false } : { outcome: 'acknowledged', stored: true },
    )
    const workload = new Workload(clients, 1)
    await reached(10)
    down = true
    const at = performance.now()
    const unavailable = workload.unavailableFrom(at)
    await reached(30)
    down = false
    const ms = await unavailable
    expect(ms).toBeGreaterThan(0)
    expect(ms).toBeLessThanOrEqual(performance.now() - at)
    await workload.stop()
  })
})
