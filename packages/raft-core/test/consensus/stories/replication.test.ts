// Replication and commitment as stories. The transcripts are the documentation.
import { expect, test } from 'vitest'
import { configurationOf } from '../cluster/entries.ts'
import { Story } from './story.ts'

const three = { voters: ['n1', 'n2', 'n3'] } as const

test('figure 8', () => {
  const story = new Story(
    'Figure 8: copies on a majority do not commit an entry of an earlier term (§5.4.2)',
    {
      voters: ['n1', 'n2', 'n3', 'n4', 'n5'],
      logs: { n1: [2], n2: [2], n5: [3] },
      terms: { n1: 3, n2: 3, n3: 3, n4: 3, n5: 4 },
      timings: { n5: { heartbeatTimeoutMs: 125 } },
      timing: { preVote: false, maxAppendEntries: 1 },
    },
  )
  story.show()
  story.say(
    '(c) n1 leads again, in term 4, and copies its entry 2 of term 2 to n3. Entry 2 is on three of five servers now,\nand yet not committed: n1 counts only entries of term 4.',
  )
  story.cut('n4')
  story.cut('n5')
  story.elect('n1')
  story.hold('n1', 'n2')
  story.settleUntilMatched('n1', 'n3', 2)
  story.hold('n1', 'n3')
  story.settle()
  story.show()
  story.say(
    '(d) n1 crashes. n5 is elected with the votes of the others, and replaces entry 2 everywhere. Nothing that was\ncommitted is lost, since nothing was.',
  )
  story.crash('n1')
  story.heal()
  story.cut('n1')
  story.timeout('n5')
  story.settle()
  story.show()
  const { told, written } = story.end('figure-8')
  expect(told).toBe(written)
})

test('a conflict is found in two round trips', () => {
  const story = new Story('A conflict is found in two round trips (§5.3)', {
    ...three,
    logs: { n1: [2, 5, 5, 5, 5], n2: [2, 5, 5, 5, 5], n3: [2, 3, 3, 3, 4, 4] },
    terms: { n1: 5, n2: 5, n3: 4 },
  })
  story.show()
  story.say(
    'n3 has entries of terms 3 and 4 that nobody else has. Each refusal names the term in conflict and where it\nbegins, so that a whole term is skipped at a time.',
  )
  story.elect('n1')
  story.settle()
  story.show()
  const { told, written } = story.end('conflict-with-hints')
  expect(told).toBe(written)
})

test('a hashicorp/raft peer gives no hints', () => {
  const story = new Story('A hashicorp/raft peer gives no hints', {
    ...three,
    logs: { n1: [2, 5, 5, 5], n2: [2, 5, 5, 5], n3: [2, 3, 3, 3, 4, 4] },
    terms: { n1: 5, n2: 5, n3: 4 },
  })
  story.cluster.plain.add('n3')
  story.show()
  story.say(
    'A refusal says only where the log of n3 ends. The leader steps back one entry per round trip, as it must.',
  )
  story.elect('n1')
  story.settle()
  story.show()
  const { told, written } = story.end('conflict-without-hints')
  expect(told).toBe(written)
})

test('a configuration is rolled back on truncation', () => {
  const story = new Story(
    'A configuration is in force when appended, and rolled back when truncated (§6)',
    {
      ...three,
      logs: { n1: [{ term: 2, configuration: configurationOf(['n1', 'n2', 'n3', 'n4']) }] },
      terms: { n1: 2, n2: 2, n3: 2 },
      blank: ['n4'],
    },
  )
  story.say(
    'n1 appended a configuration with n4 as leader of term 2, and lost its leadership before anyone heard of it.',
  )
  story.tellConfigurations()
  story.say(
    'n2 is elected in the old configuration. Its no-op takes the place of that entry, and n1 goes back too.',
  )
  story.cut('n1')
  story.elect('n2')
  story.settle()
  story.heal()
  story.pass(60)
  story.tellConfigurations()
  const { told, written } = story.end('configuration-rollback')
  expect(told).toBe(written)
})

test('a peer that was away', () => {
  const story = new Story('A peer that was away is probed with pauses, and catches up', {
    ...three,
    timing: { maxAppendEntries: 2 },
  })
  story.lead('n1')
  story.say(
    'n3 is down. Pauses between probes double up to half of the heartbeat timeout, and probes carry nothing.',
  )
  story.crash('n3')
  story.propose('n1', 'a', 'b', 'c', 'd', 'e')
  story.settle()
  story.pass(100)
  story.say(
    'n3 is back. The first answer ends the pause; a probe that succeeds starts the pipeline.',
  )
  story.restart('n3')
  story.pass(60)
  story.show()
  const { told, written } = story.end('peer-away')
  expect(told).toBe(written)
})
