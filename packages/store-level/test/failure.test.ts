import { spawnSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { LevelStore } from '@raftkit/store-level'
import { describe, expect, test, vi } from 'vitest'
import { messageFrom, startChild } from './child.ts'
import { contentsOf, entries } from './entries.ts'
import type { FullDiskReport } from './full-disk-child.ts'
import { refusalOf, rejectionOf } from './refusal.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { watchedDisk } from './watched-disk.ts'

const changes = {
  append: (store: LevelStore) => store.append([entries(4, 2)]),
  truncateSuffix: (store: LevelStore) => store.truncateSuffix(2),
  truncatePrefix: (store: LevelStore) => store.truncatePrefix(3),
  saveHardState: (store: LevelStore) => store.saveHardState({ term: 3 }),
  set: (store: LevelStore) => store.set('a', Buffer.of(1)),
}

/** A disk on which one step fails once, and works again from then on. */
function failingDisk(failingStep: string) {
  const disk = {
    failing: false,
    steps: [] as string[],
    error: Object.assign(new Error('no space left'), { code: 'ENOSPC' }),
  }
  const watched = watchedDisk((step) => {
    disk.steps.push(step)
    if (!disk.failing || step !== failingStep) return
    disk.failing = false
    throw disk.error
  })
  return Object.assign(disk, { disk: watched })
}

describe.each(['write database', 'write boundary', 'sync boundary'])('when a %s fails', (step) => {
  test.each(Object.keys(changes) as (keyof typeof changes)[])(
    'in %s, the store ends, although the disk works again',
    async (name) => {
      const directory = await temporaryDirectory()
      const failing = failingDisk(step)
      const store = await LevelStore.open(directory, { boundaryDelayMs: 0 }, failing.disk)
      await store.append([entries(1, 3)])
      failing.failing = true
      const error = await rejectionOf(changes[name](store))
      expect(error).toMatchObject({ code: 'RAFT_STORE_FAILED', cause: failing.error })
      expect(error.message).toContain(directory)

      const stepsBefore = failing.steps.length
      for (const call of [
        ...Object.values(changes),
        () => store.bounds(),
        () => store.read(1, 1, { maxBytes: 100 }),
        () => store.loadHardState(),
        () => store.get('a'),
      ])
        expect(await rejectionOf(call(store))).toMatchObject({
          code: 'RAFT_STORE_FAILED',
          cause: failing.error,
        })
      await store.close()
      expect(failing.steps.length).toBe(stepsBefore)

      const again = await LevelStore.open(directory)
      const { lastIndex } = await again.bounds()
      await again.append([entries(lastIndex + 1, 1)])
      await again.close()
    },
  )
})

test('entries acknowledged before a failure are there afterwards', async () => {
  const directory = await temporaryDirectory()
  const failing = failingDisk('write database')
  const store = await LevelStore.open(directory, {}, failing.disk)
  await store.append([entries(1, 3)])
  failing.failing = true
  const results = await Promise.allSettled([
    store.append([entries(4, 2)]),
    store.append([entries(6, 2)]),
  ])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await store.close()
  await using again = await LevelStore.open(directory)
  expect(contentsOf(await again.read(1, 9, { maxBytes: Infinity }))).toEqual(
    contentsOf(entries(1, 3)),
  )
})

test('a boundary write that fails in the background ends the store', async () => {
  const failing = failingDisk('sync boundary')
  const store = await LevelStore.open(
    await temporaryDirectory(),
    { boundaryDelayMs: 1 },
    failing.disk,
  )
  failing.failing = true
  await store.append([entries(1, 3)])
  await vi.waitUntil(() => !failing.failing)
  expect(await rejectionOf(store.append([entries(4, 1)]))).toMatchObject({
    code: 'RAFT_STORE_FAILED',
    cause: failing.error,
  })
  await store.close()
})

test('a closed store says so', async () => {
  const store = await LevelStore.open(await temporaryDirectory())
  await store.close()
  expect(await rejectionOf(store.bounds())).toMatchObject({ code: 'RAFT_STORE_CLOSED' })
})

test('a store whose opening failed half-way is not left locked', async () => {
  const directory = await temporaryDirectory()
  for (const step of ['open boundary', 'write database', 'write boundary', 'sync directory']) {
    const failing = failingDisk(step)
    failing.failing = true
    expect(await refusalOf(directory, {}, failing.disk)).toMatchObject({
      code: 'RAFT_STORE_UNUSABLE',
      cause: failing.error,
    })
    await (await LevelStore.open(directory)).close()
    await rm(join(directory, 'db'), { recursive: true })
    await rm(join(directory, 'boundary'))
  }
})

const isLinux = process.platform === 'linux'
const mayMount = isLinux && spawnSync('unshare', ['-m', 'true']).status === 0

/**
 * How real writes are made to fail for a while. Any Linux process can limit the size of its files; with the right to
 * mount, a small file system of its own is filled, too. Elsewhere the injected failures above stand alone.
 */
const means = [
  ...(isLinux ? [{ name: 'file-size-limit', wrapper: () => [] }] : []),
  ...(mayMount ? [{ name: 'small-disk', wrapper: onSmallDisk }] : []),
]

test.each(means)('no acknowledged entry is lost after a $name', async ({ name, wrapper }) => {
  const directory = await temporaryDirectory()
  const child = startChild('./full-disk-child.ts', [directory, name], wrapper(directory))
  const report = (await messageFrom(child)) as FullDiskReport
  expect(report.acknowledged.length).toBeGreaterThanOrEqual(20)
  expect(report.lost).toEqual([])
  expect(report.reopened).toBe(true)
  expect(report.refusals).toEqual(Array.from({ length: 53 }, () => 'RAFT_STORE_FAILED'))
})

/** A mount namespace of the child's own, so that nothing is left behind however the test ends. */
function onSmallDisk(directory: string): readonly string[] {
  const mount = 'mount -t tmpfs -o size=2m tmpfs "$1" && shift && exec "$@"'
  return ['unshare', '-m', 'sh', '-c', mount, 'sh', directory]
}
