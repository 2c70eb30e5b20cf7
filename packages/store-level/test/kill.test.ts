import { once } from 'node:events'
import { LevelStore } from '@raftkit/store-level'
import { expect, test } from 'vitest'
import { startChild } from './child.ts'
import { contentsOf } from './entries.ts'
import { temporaryDirectory } from './temporary-directory.ts'

interface Progress {
  readonly term: number
  readonly lastIndex: number
}

test('what a process had acknowledged before it was killed is there', async () => {
  const directory = await temporaryDirectory()
  let progress: Progress = { term: 0, lastIndex: 0 }
  for (const messages of [1, 2, 40, 60, 80, 101, 120]) {
    const child = startChild('./writing-child.ts', [directory])
    let left = messages
    child.on('message', (message) => {
      progress = message as Progress
      if (--left === 0) child.kill('SIGKILL')
    })
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
    expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' })
    await checkHolds(directory, progress)
  }
})

async function checkHolds(directory: string, { term, lastIndex }: Progress): Promise<void> {
  await using store = await LevelStore.open(directory)
  expect((await store.loadHardState())!.term).toBeGreaterThanOrEqual(term)
  const bounds = await store.bounds()
  expect(bounds.lastIndex).toBeGreaterThanOrEqual(lastIndex)
  if (bounds.lastIndex === 0) return
  const texts = contentsOf(
    await store.read(bounds.firstIndex, bounds.lastIndex, { maxBytes: Infinity }),
  )
  expect(texts.filter((text) => !/^(\d+)@(\d+) \2\/\1\//.test(text))).toEqual([])
}
