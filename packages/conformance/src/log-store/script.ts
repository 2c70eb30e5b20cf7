// The changes that a process makes to a log until it is ended, and what must be there then.

import assert from 'node:assert/strict'
import { LogType } from '@raftkit/interface'
import type { Index, LogStore, Term } from '@raftkit/interface'
import { sampleBytes } from '../sample-bytes.ts'
import { batchOf, sampleEntries } from '../sample-entries.ts'
import type { SampleEntry } from '../sample-entries.ts'
import { contentOf, describeContent, isSameContent } from './content.ts'
import type { LogContent } from './content.ts'

/** One change, and what it makes of a log. */
export interface LogStep {
  readonly what: string
  readonly run: (store: LogStore) => Promise<void>
  readonly after: (before: LogContent) => LogContent
  /** A truncation may be found half done: without gaps, and with all that was to stay. */
  readonly truncates: 'suffix' | 'prefix' | undefined
}

/** Everything a log goes through: growth by little and by much, conflicts, compaction, a new start elsewhere. */
export const LOG_SCRIPT: readonly LogStep[] = [
  appending(1, bulky(60, 1)),
  appending(61, [{ term: 1, type: LogType.command, bytes: sampleBytes(700_000, 3) }]),
  truncatingSuffix(20),
  appending(20, bulky(30, 2)),
  truncatingPrefix(49),
  appending(2 ** 32 + 5, sampleEntries(20, 2 ** 33)),
]

/** The log after so many steps. */
function logAfter(steps: number): LogContent {
  return LOG_SCRIPT.slice(0, steps).reduce<LogContent>((content, step) => step.after(content), {
    firstIndex: 1,
    entries: [],
  })
}

/** Asserts that the log is as after `acknowledged` steps, or as after one more when that one was begun. */
export async function assertLogSurvived(
  store: LogStore,
  steps: number,
  acknowledged: number,
): Promise<void> {
  const found = await contentOf(store)
  const before = logAfter(acknowledged)
  if (isSameContent(found, before)) return
  const step = acknowledged < steps ? LOG_SCRIPT[acknowledged] : undefined
  if (step) {
    const after = step.after(before)
    if (isSameContent(found, after)) return
    if (step.truncates && isHalfTruncated(found, before, after, step.truncates)) return
  }
  assert.fail(
    `acknowledged was a log of ${describeContent(before)}` +
      (step ? `, ${step.what} was under way` : '') +
      `; found was ${describeContent(found)}, or other entries`,
  )
}

/** Every append of the script says that its own entries are committed: so they are, whichever of them are there. */
export async function assertAllCommitted(store: LogStore): Promise<void> {
  assert.equal(await store.commitIndex?.(), (await store.bounds()).lastIndex, 'commit index')
}

/** Whether `found` lies between the whole log and what was to stay of it, and begins or ends where the log did. */
function isHalfTruncated(
  found: LogContent,
  before: LogContent,
  after: LogContent,
  end: 'suffix' | 'prefix',
): boolean {
  if (found.entries.length < after.entries.length) return false
  const skipped = end === 'suffix' ? 0 : before.entries.length - found.entries.length
  const expected = before.entries.slice(skipped, skipped + found.entries.length)
  return isSameContent(found, { firstIndex: before.firstIndex + skipped, entries: expected })
}

function appending(firstIndex: Index, entries: readonly SampleEntry[]): LogStep {
  return {
    what: `appending ${firstIndex}..${firstIndex + entries.length - 1}`,
    run: (store) =>
      store.append([batchOf(firstIndex, entries)], {
        commitIndex: firstIndex + entries.length - 1,
      }),
    after: (before) => ({
      firstIndex: before.entries.length === 0 ? firstIndex : before.firstIndex,
      entries: [...before.entries, ...entries],
    }),
    truncates: undefined,
  }
}

function truncatingSuffix(from: Index): LogStep {
  return {
    what: `removing the suffix from ${from} on`,
    run: (store) => store.truncateSuffix(from),
    after: ({ firstIndex, entries }) => ({
      firstIndex,
      entries: entries.slice(0, from - firstIndex),
    }),
    truncates: 'suffix',
  }
}

function truncatingPrefix(to: Index): LogStep {
  return {
    what: `removing the prefix up to ${to}`,
    run: (store) => store.truncatePrefix(to),
    after: ({ firstIndex, entries }) => ({
      firstIndex: to + 1,
      entries: entries.slice(to + 1 - firstIndex),
    }),
    truncates: 'prefix',
  }
}

/** Entries of some KiB each. */
function bulky(count: number, term: Term): SampleEntry[] {
  return sampleEntries(count, term).map((entry, i) => ({
    ...entry,
    bytes: sampleBytes(1000 + 100 * i, term * 100 + i),
  }))
}
