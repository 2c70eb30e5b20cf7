import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { catalogue } from '../src/catalogue/catalogue.ts'
import { findingOf } from '../src/hunt-messages.ts'
import { Hunt } from '../src/hunt.ts'
import type { Mutant } from '../src/mutant.ts'

const canary = catalogue.find(({ name }) => name === 'own-copy-before-durable')!

describe('a hunt', () => {
  let hunt: Hunt

  beforeAll(async () => {
    hunt = await Hunt.start()
  })
  afterAll(() => hunt.close())

  test('catches the canary in the simulator, which passes the same seed without it', async () => {
    const { finding, seeds } = await hunt.hunt(canary)
    expect(finding).toMatchObject({ outcome: 'caught', by: 'durable quorum' })
    expect(seeds).toBeGreaterThan(0)
  })

  test('lets a change survive that breaks nothing', async () => {
    const harmless: Mutant = {
      ...canary,
      name: 'harmless',
      edits: canary.edits.map((edit) => ({ ...edit, replace: `${edit.find} + 0` })),
      hunters: [{ profile: 'default', seeds: 1 }],
    }
    expect((await hunt.hunt(harmless)).finding).toEqual({ outcome: 'survived' })
  })

  test('takes code that does not run for an error of the mutant', async () => {
    const replace = 'leadership.voters.reached(noSuchThing, matchIndexOf)'
    const broken: Mutant = {
      ...canary,
      name: 'broken',
      edits: canary.edits.map((edit) => ({ ...edit, replace })),
    }
    const { finding } = await hunt.hunt(broken)
    expect(finding.outcome).toBe('error')
    expect(JSON.stringify(finding)).toContain('noSuchThing is not defined')
  })

  test('takes code that does not parse, or that nobody uses, for an error', async () => {
    const unparsable: Mutant = {
      ...canary,
      name: 'unparsable',
      edits: canary.edits.map((edit) => ({ ...edit, replace: '(' })),
    }
    expect((await hunt.hunt(unparsable)).finding.outcome).toBe('error')
    const unused: Mutant = {
      ...canary,
      name: 'unused',
      edits: [
        {
          file: 'packages/store-level/src/database/keys.ts',
          find: 'export const ANCHOR_KEY',
          replace: 'export const ANCHOR_KEY',
        },
      ],
    }
    const { finding } = await hunt.hunt(unused)
    expect(finding.outcome).toBe('error')
    expect(JSON.stringify(finding)).toContain('does not use')
  })
})

test('a hunt that is stopped proves nothing', async () => {
  const hunt = await Hunt.start(AbortSignal.abort())
  try {
    const { finding } = await hunt.hunt(canary)
    expect(finding).toEqual({ outcome: 'error', message: 'there was no time left' })
  } finally {
    await hunt.close()
  }
})

test('a violation that names a check is a catch', () => {
  expect(findingOf('liveness', 'no leader')).toEqual({
    outcome: 'caught',
    by: 'liveness',
    message: 'no leader',
  })
})
