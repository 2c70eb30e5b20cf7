// Snapshots as stories. The transcripts are the documentation.
import { expect, test } from 'vitest'
import type { Message } from '../cluster/messages.ts'
import type { MachineState } from '../cluster/simulated-disk.ts'
import { applyEntry } from '../cluster/entries.ts'
import { Story } from './story.ts'

const three = { voters: ['n1', 'n2', 'n3'] } as const

function leaderWithSnapshot(title: string, logs: Record<string, number[]>): Story {
  const story = new Story(title, { ...three, logs, timing: { trailingLogs: 0 } })
  story.cut('n3')
  story.lead('n1')
  return story
}

test('a snapshot onto a conflicting log', () => {
  const story = leaderWithSnapshot(
    'A snapshot replaces a log that conflicts with it (§7, rule 7)',
    {
      n3: [1, 1, 1, 1],
    },
  )
  story.say(
    'n3 was cut off with entries that were never committed. n1 has a snapshot in place of its own log.',
  )
  story.propose('n1', 'a', 'b')
  story.settle()
  story.server('n1').takeSnapshot()
  story.write('n1')
  story.show()
  story.heal()
  story.pass(60)
  story.show()
  const { told, written } = story.end('snapshot-over-conflict')
  expect(told).toBe(written)
})

/** A snapshot that `n1` sent long ago, as it reaches n2. */
function lateSnapshot(state: MachineState): Message {
  const { index, term, configuration } = state
  return {
    type: 'request',
    from: 'n1',
    to: 'n2',
    sendId: 1000,
    run: 1,
    entries: [],
    state,
    request: {
      type: 'install-snapshot',
      from: { id: 'n1', address: 'n1:1', isRaftkit: true },
      term: 2,
      snapshot: { index, term, configuration },
    },
  }
}

test('a snapshot of a matching log', () => {
  const story = new Story(
    'A snapshot of what is there already keeps the entries after it (§7, rule 6)',
    three,
  )
  story.lead('n1')
  const before = story.server('n1').machine
  story.propose('n1', 'a', 'b')
  story.settle()
  const snapshot = applyEntry(before, story.server('n1').log.get(3)!)
  story.hold('n1', 'n2')
  story.propose('n1', 'c')
  story.settle()
  story.say(
    'n2 has entries 3 and 4, and does not know yet that they are committed. A snapshot up to entry 2 is nothing new.\nOne up to entry 3 is installed; entry 4 continues it and stays. Meanwhile entry 5 arrives.',
  )
  story.show()
  story.slowDisk('n2')
  story.deliverCopy(lateSnapshot({ ...snapshot, index: 2 }))
  story.deliverCopy(lateSnapshot(snapshot))
  story.release('n1', 'n2')
  story.settle()
  story.write('n2')
  story.settle()
  story.show()
  story.pass(30)
  story.write('n2')
  story.settle()
  story.show()
  const { told, written } = story.end('snapshot-of-matching-log')
  expect(told).toBe(written)
})

test('an old snapshot', () => {
  const story = new Story('A snapshot older than what is committed is not installed', three)
  story.lead('n1')
  story.propose('n1', 'a')
  story.settle()
  story.pass(10)
  const snapshot = story.server('n2').machine
  story.propose('n1', 'b')
  story.settle()
  story.pass(10)
  story.say('A snapshot up to entry 3 arrives at n2, whose state machine holds entry 4.')
  story.deliverCopy(lateSnapshot(snapshot))
  story.show()
  const { told, written } = story.end('old-snapshot')
  expect(told).toBe(written)
})

test('a crash between a snapshot and the removal of the log', () => {
  const story = leaderWithSnapshot(
    'A crash between a snapshot and the removal of the log it replaces',
    { n3: [1, 1, 1, 1] },
  )
  story.propose('n1', 'a', 'b')
  story.settle()
  story.server('n1').takeSnapshot()
  story.write('n1')
  story.heal()
  story.slowDisk('n3')
  story.pass(20)
  story.write('n3', 1)
  story.settle()
  story.write('n3', 1)
  story.say(
    'The snapshot is durable, the log that conflicts with it is still there. The power fails.',
  )
  story.crash('n3')
  story.restart('n3')
  story.write('n3')
  story.show()
  story.say('n3 goes on from the snapshot.')
  story.pass(40)
  story.write('n3')
  story.settle()
  story.show()
  const { told, written } = story.end('crash-in-installation')
  expect(told).toBe(written)
})
