// Seeds that once failed. What a seed draws changes with the world, so each bug also has a test of its own where it was;
// these are run all the same, for what they come upon now.
import { describe, expect, it } from 'vitest'
import { failureText, runSeed } from '@raftkit/simulator'

/** With what was wrong then. */
const SEEDS: readonly (readonly [seed: number, profile: string, was: string])[] = [
  [11, 'default', 'a forwarded command that the network delivered twice was applied twice'],
  [247, 'default', 'a timer was set after a shutdown, by a write that waited behind a hung disk'],
  [265, 'default', 'a command that a stopped server did not hand on failed without an outcome'],
  [292, 'default', 'a timer was set after a shutdown'],
  [293, 'default', 'a server with a new disk refused its vote by an old configuration'],
  [314, 'default', 'a forwarded command was refused, and its copy applied'],
  [328, 'default', 'a command that a stopped server did not hand on failed without an outcome'],
  [616, 'default', 'a paused server was shut down from outside'],
  [1245, 'default', 'an acknowledgement was not counted after the disk behind it was wiped'],
]

describe('a seed that once failed', () => {
  it.each(SEEDS)('%i (%s) passes: %s', async (seed, profile) => {
    const result = await runSeed(seed, { profile })
    expect(result.violation === undefined ? '' : failureText(result)).toBe('')
  })
})
