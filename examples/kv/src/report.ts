// Compares what the clients were promised with what the nodes hold.
import type { Digest } from './kv-machine.ts'

/** What the writer of one key knows about it. */
export interface KeyHistory {
  /** Writes sent so far. */
  readonly version: number
  /** The last value that was acknowledged. */
  readonly acknowledged?: string
  /** The value whose outcome is unknown. It was the last write to the key. */
  readonly unknown?: string
}

/** What one node holds at the end. */
export interface NodeState {
  readonly name: string
  readonly digest: Digest
  readonly values: ReadonlyMap<string, string>
}

/** A key whose value on a node is none that it may have. */
export interface Discrepancy {
  readonly node: string
  readonly key: string
  readonly expected: string | null
  readonly found: string | null
}

/** How states and promises compare. */
export interface Comparison {
  /** Acknowledged writes that a node does not hold. */
  readonly lost: readonly Discrepancy[]
  /** Values that no client was told are there, or that it was told are not. */
  readonly corrupt: readonly Discrepancy[]
  /** Whether all nodes have applied the same commands and hold the same state. */
  readonly identical: boolean
}

/** Checks every key on every node. */
export function compare(
  history: ReadonlyMap<string, KeyHistory>,
  states: readonly NodeState[],
): Comparison {
  const lost: Discrepancy[] = []
  const corrupt: Discrepancy[] = []
  for (const { name, values } of states) {
    for (const [key, { acknowledged, unknown }] of history) {
      const found = values.get(key)
      if (found === acknowledged || (found !== undefined && found === unknown)) continue
      const discrepancy = { node: name, key, expected: acknowledged ?? null, found: found ?? null }
      ;(acknowledged === undefined ? corrupt : lost).push(discrepancy)
    }
    for (const [key, found] of values)
      if (!history.has(key)) corrupt.push({ node: name, key, expected: null, found })
  }
  return { lost, corrupt, identical: areIdentical(states) }
}

function areIdentical(states: readonly NodeState[]): boolean {
  const [first] = states
  if (first === undefined) return false
  return states.every(
    ({ digest }) =>
      digest.index === first.digest.index &&
      digest.keys === first.digest.keys &&
      digest.sha256 === first.digest.sha256,
  )
}

/** What the demo prints with `--json`. */
export interface Report {
  /** Whether everything is as promised. */
  readonly ok: boolean
  /** Writes that were acknowledged. */
  readonly acknowledged: number
  /** Writes that certainly did not happen, and were reported so. */
  readonly refused: number
  /** Writes whose outcome was reported as unknown. */
  readonly unknown: number
  /** Acknowledged values that are missing on some node, counted once per node. */
  readonly lost: number
  readonly corrupt: number
  /** Terms in which a leader was seen. */
  readonly elections: number
  /** After the kill of the leader: until a write that was sent then was acknowledged. Milliseconds. */
  readonly unavailableMs: number
  /** After the kill of all three, from the moment they were started again. Milliseconds. */
  readonly recoveryMs: number
  readonly snapshotsInstalled: number
  /** Whether all three states are equal at the same applied index. */
  readonly identical: boolean
  readonly keys: number
  readonly index: number
  readonly durationMs: number
  /** What went wrong, in sentences; empty when `ok`. */
  readonly problems: readonly string[]
}

/** The numbers of a run beside the comparison. */
export type Measurements = Omit<Report, 'ok' | 'lost' | 'corrupt' | 'identical' | 'problems'>

/** The verdict on a run. */
export function reportOf(measured: Measurements, comparison: Comparison): Report {
  const problems = [...problemsOf(measured, comparison)]
  return {
    ok: problems.length === 0,
    ...measured,
    lost: comparison.lost.length,
    corrupt: comparison.corrupt.length,
    identical: comparison.identical,
    problems,
  }
}

const examplesShown = 5

function* problemsOf(measured: Measurements, comparison: Comparison): Generator<string> {
  if (measured.acknowledged === 0) yield 'no write was acknowledged'
  for (const { node, key, expected, found } of comparison.lost.slice(0, examplesShown))
    yield `${node} lost ${key}: acknowledged ${show(expected)}, found ${show(found)}`
  for (const { node, key, expected, found } of comparison.corrupt.slice(0, examplesShown))
    yield `${node} has a wrong value for ${key}: ${show(found)} instead of ${show(expected)}`
  if (!comparison.identical) yield 'the nodes do not hold the same state'
  if (measured.snapshotsInstalled === 0) yield 'the restarted node did not catch up by snapshot'
}

function show(value: string | null): string {
  return value === null ? 'nothing' : JSON.stringify(value.slice(0, 60))
}
