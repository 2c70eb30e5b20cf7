import { testLogStore } from '@raftkit/conformance'
import type { LogStoreManifest, Runner } from '@raftkit/conformance'
import { RaftError } from '@raftkit/interface'
import type { LogStore } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { failuresOf, withMethods } from './collecting-runner.ts'
import { LOG_SCRIPT } from '../src/log-store/script.ts'
import * as broken from './log-store-defects.ts'
import type { Defect } from './log-store-defects.ts'
import { killedInPlace } from './reference/killed-in-place.ts'
import { copyOf, MapStore, MAX_ENTRY_BYTES } from './reference/map-store.ts'

const everything: LogStoreManifest = {
  reopen: true,
  durable: true,
  checksums: true,
  tornWrites: true,
  commitIndex: true,
}

/** Registers the suite on the plain store, with a defect or without. */
function register(
  runner: Runner,
  defect: Defect = () => ({}),
  supports: LogStoreManifest = everything,
): void {
  const opened = (store: MapStore): MapStore => withMethods(store, defect(store))
  testLogStore({
    runner,
    name: 'MapStore',
    supports,
    maxEntryBytes: MAX_ENTRY_BYTES,
    open: async () => opened(new MapStore()),
    reopen: async (store) => {
      await store.close()
      return opened(new MapStore(store.data))
    },
    crash: async (store) => opened(new MapStore(copyOf(store.data))),
    kill: killedInPlace(opened, (store, step) => LOG_SCRIPT[step]!.run(store)),
    corrupt: async (store, index) => {
      const entry = store.data.entries.get(index)!
      store.data.entries.set(index, { ...entry, bytes: entry.bytes.map((byte) => byte ^ 1) })
      store.data.corrupt = true
    },
    tear: async (store) => {
      const [index, entry] = [...store.data.entries].at(-1)!
      store.data.entries.set(index, { ...entry, bytes: entry.bytes.map(() => 0) })
      store.data.corrupt = true
    },
  })
}

/** The plain store notices damage when it is read, as one with checksums would. */
const withChecksums: Defect = (store) => ({
  read: async (from, to, limits) => {
    if (store.data.corrupt) throw new RaftError('RAFT_STORE_CORRUPT', 'damaged')
    return store.read(from, to, limits)
  },
})

describe('testLogStore', () => {
  register({ describe, it }, withChecksums)

  it.each<readonly [defect: string, caughtBy: string, Defect]>([
    ['takes any index', 'refuses a batch that leaves a gap behind', broken.withoutGapCheck],
    [
      'stores some of what it refuses',
      'refuses batches with a gap between them',
      broken.partialAppend,
    ],
    [
      'takes nothing more after a refusal',
      'takes the right batch after it refused',
      broken.poisoned,
    ],
    ['returns without limit', 'stops before the entry that would pass maxBytes', broken.unlimited],
    [
      'gives nothing when the first is too large',
      'gives the first entry however small',
      broken.strict,
    ],
    [
      'counts maxBytes exclusively',
      'stops before the entry that would pass maxBytes',
      broken.exclusive,
    ],
    ['removes one too few at the end', 'removes the suffix from 9 on', broken.suffixOffByOne],
    ['removes one too many at the start', 'removes the prefix up to 6', broken.prefixOffByOne],
    ['mixes entries up at times', 'behaves as an array of entries', broken.swapping],
    ['uses 32 bits for indexes', 'starts at index 4294967294 when empty', broken.in32Bits],
    ['sorts indexes as text', 'keeps thousands of entries', broken.sortedAsText],
    ['shows a batch entry by entry', 'reads while it appends', broken.entryByEntry],
    ['gives out its own buffer', 'leaves a batch that was read as it was', broken.sharedBuffer],
    ['forgets the types', 'gives back what was appended', broken.typeless],
    ['drops entries without bytes', 'keeps an entry without bytes', broken.withoutEmpty],
    ['works after close', 'refuses every call after close', broken.immortal],
    ['fails to close twice', 'closes twice', broken.closesOnce],
    ['does not wait in close', 'waits in close for the append', broken.hastyClose],
    ['remembers where it was when emptied', 'is empty when the prefix', broken.rememberingBounds],
    ['acknowledges before it writes', 'has every acknowledged change after a crash', broken.lazy],
    ['does not check', 'finds entry 4 of six out when it is damaged', () => ({})],
    ['takes what was torn for whole', 'when its last 20 bytes are zeros', () => ({})],
    [
      'opens empty when it is damaged',
      'when its last 20 bytes are cut off',
      broken.emptyWhenDamaged,
    ],
    [
      'fails with any error when damaged',
      'when its last 20 bytes are cut off',
      broken.untypedDamage,
    ],
    ['writes entry by entry', 'when killed while appending 20..49', broken.entryByEntry],
    ['writes some time later', 'when its process is killed', broken.writesLater],
    ['leaves a gap while it truncates', 'killed while removing the suffix', broken.fromTheStart],
    ['takes any index there is', 'refuses an index above 2^53 - 1', broken.withoutIndexCheck],
    ['takes entries of any size', 'refuses an entry of 9000001 bytes', broken.withoutSizeCheck],
    ['counts its limit exclusively', 'keeps an entry of 9000000 bytes', broken.smallerLimit],
    [
      'takes what is empty for absent',
      'a log of nothing but entries without bytes',
      broken.emptyIsAbsent,
    ],
    ['loses a page', 'gives 16 MiB back in pages', broken.onePage],
    ['uses 16 bits for sizes', 'sizes are around powers of two', broken.in16Bits],
    ['reads what is being moved', 'while both ends are truncated', broken.movesEntries],
    ['never settles an append', 'settles the append and the reads', broken.hangsWhenClosed],
    ['drops the commit index', 'keeps the commit index that comes', broken.dropsCommitIndex],
    ['takes any commit index', 'clamps the commit index', broken.takesAnyCommitIndex],
    [
      'lets the commit index go back',
      'never lets the commit index go back',
      broken.takesAnyCommitIndex,
    ],
    ['stages the commit index alone', 'that comes without entries', broken.stagesCommitIndex],
    [
      'remembers a clamped commit index',
      'does not remember what it was given',
      broken.remembersCommitIndex,
    ],
    [
      'raises it again after a truncation',
      'stays down when entries follow',
      broken.remembersCommitIndex,
    ],
    [
      'writes the commit index later',
      'when killed while appending 61..61',
      broken.commitIndexApart,
    ],
    ['forgets large indexes', 'from 9007199254740986 on when reopened', broken.forgetsLargeIndexes],
  ])('finds a store out that %s', async (_defect, caughtBy, defect) => {
    const failed = await failuresOf((runner) => register(runner, defect), caughtBy)
    expect([...failed.keys()]).not.toEqual([])
  })

  it.each([
    [{ reopen: false, durable: false, checksums: false, tornWrites: false }],
    [{ reopen: true, durable: true, checksums: false, tornWrites: false }],
    [{ reopen: true, durable: false, checksums: true, tornWrites: false }],
    [{ reopen: true, durable: false, checksums: false, tornWrites: true }],
    [{ reopen: false, durable: true, checksums: false, tornWrites: false }],
  ])('finds a manifest out that does not fit: %o', async (supports) => {
    const failed = await failuresOf(
      (runner) =>
        testLogStore({
          runner,
          name: 'MapStore',
          supports,
          open: async () => new MapStore(),
          reopen: async (store) => {
            await store.close()
            return new MapStore(store.data)
          },
        }),
      'manifest',
    )
    expect([...failed.keys()]).toEqual(['supports what its manifest says'])
  })

  describe('a manifest that denies', () => {
    const nothing = {
      reopen: false,
      durable: false,
      checksums: false,
      tornWrites: false,
      commitIndex: false,
    }

    it.each(['reopen', 'durable', 'checksums', 'tornWrites', 'commitIndex'] as const)(
      '%s is refuted by a store that has it',
      async (flag) => {
        const supports = {
          ...nothing,
          reopen: true,
          durable: true,
          checksums: true,
          commitIndex: true,
        }
        const denied = { ...supports, tornWrites: true, [flag]: false }
        if (flag === 'reopen') denied.durable = false
        const failed = await failuresOf(
          (runner) => register(runner, withChecksums, denied),
          'manifest',
        )
        expect(String([...failed.values()][0])).toContain(
          `supports.${flag} is false, but that works`,
        )
      },
    )

    it('what it has a hook for is believed when the hook shows it', async () => {
      const failed = await failuresOf(
        (runner) =>
          register(runner, () => ({}), {
            ...nothing,
            reopen: true,
            durable: true,
            commitIndex: true,
          }),
        'manifest',
      )
      expect([...failed.keys()]).toEqual([])
    })
  })

  it('closes and disposes of every store, also when a case fails', async () => {
    const opened: LogStore[] = []
    const disposed: LogStore[] = []
    await failuresOf((runner) =>
      testLogStore({
        runner,
        name: 'broken',
        supports: { reopen: false, durable: false, checksums: false, tornWrites: false },
        open: async () => {
          const store = withMethods(new MapStore(), {
            append: () => Promise.reject(new Error('no')),
          })
          opened.push(store)
          return store
        },
        dispose: async (store) => {
          expect(store.closed).toBe(true)
          disposed.push(store)
        },
      }),
    )
    expect(opened.length).toBeGreaterThan(20)
    expect(disposed).toEqual(opened)
  })
})
