// hashicorp/raft's transition table (its nextConfiguration tests), and what makes a configuration unusable.
import { describe, expect, test } from 'vitest'
import type { Server, Suffrage } from '@raftkit/interface/protocol'
import {
  type MemberChange,
  faultsOf,
  nextConfiguration,
} from '../../../src/consensus/configuration/configuration-change.ts'

const other: Server = { suffrage: 'voter', id: 'n2', address: 'n2:1' }
const self = (suffrage: Suffrage, address = 'old'): Server => ({ suffrage, id: 'n1', address })

type Row = readonly [change: MemberChange['type'], from: Suffrage | 'absent', to: string]

const TABLE: readonly Row[] = [
  ['add-voter', 'absent', 'voter new'],
  ['add-voter', 'voter', 'voter new'],
  ['add-voter', 'staging', 'voter new'],
  ['add-voter', 'nonvoter', 'voter new'],
  ['stage-voter', 'absent', 'staging new'],
  ['stage-voter', 'voter', 'voter new'],
  ['stage-voter', 'staging', 'staging new'],
  ['stage-voter', 'nonvoter', 'staging new'],
  ['add-nonvoter', 'absent', 'nonvoter new'],
  ['add-nonvoter', 'voter', 'voter new'],
  ['add-nonvoter', 'staging', 'staging new'],
  ['add-nonvoter', 'nonvoter', 'nonvoter new'],
  ['demote-voter', 'absent', 'unknown'],
  ['demote-voter', 'voter', 'nonvoter old'],
  ['demote-voter', 'staging', 'nonvoter old'],
  ['demote-voter', 'nonvoter', 'nonvoter old'],
  ['remove-server', 'absent', 'unknown'],
  ['remove-server', 'voter', 'gone'],
  ['remove-server', 'staging', 'gone'],
  ['remove-server', 'nonvoter', 'gone'],
  ['unstage', 'absent', 'unknown'],
  ['unstage', 'voter', 'unknown'],
  ['unstage', 'staging', 'nonvoter old'],
  ['unstage', 'nonvoter', 'unknown'],
]

function changeOf(type: MemberChange['type']): MemberChange {
  return type === 'add-voter' || type === 'stage-voter' || type === 'add-nonvoter'
    ? { type, id: 'n1', address: 'new' }
    : { type, id: 'n1' }
}

function outcome(type: MemberChange['type'], from: Suffrage | 'absent'): string {
  const servers = from === 'absent' ? [other] : [self(from), other]
  const next = nextConfiguration({ servers }, changeOf(type))
  if (next === undefined) return 'unknown'
  const found = next.servers.find(({ id }) => id === 'n1')
  return found === undefined ? 'gone' : `${found.suffrage} ${found.address}`
}

test.each(TABLE)('%s of a server that is %s: %s', (type, from, to) => {
  expect(outcome(type, from)).toBe(to)
})

test('order is kept, new members come last, others stay as they are', () => {
  const third: Server = { suffrage: 'nonvoter', id: 'n3', address: 'n3:1' }
  const after = (change: MemberChange): readonly Server[] =>
    nextConfiguration({ servers: [third, self('voter'), other] }, change)!.servers
  expect(after(changeOf('demote-voter'))).toEqual([third, self('nonvoter'), other])
  expect(after(changeOf('remove-server'))).toEqual([third, other])
  const added = { type: 'add-nonvoter', id: 'n0', address: 'n0:1' } as const
  expect(after(added).map(({ id }) => id)).toEqual(['n3', 'n1', 'n2', 'n0'])
})

describe('faults', () => {
  test.each([
    ['no-voter', [self('nonvoter'), self('staging')].slice(0, 1)],
    ['no-voter', []],
    ['empty-id', [{ ...other, id: '' }]],
    ['empty-address', [{ ...other, address: '' }]],
    ['duplicate-id', [other, { ...other, address: 'elsewhere' }]],
    ['duplicate-address', [other, self('nonvoter', 'n2:1')]],
  ])('%s', (problem, servers) => {
    expect(faultsOf({ servers }).map((fault) => fault.problem)).toEqual([problem])
  })

  test('none of a usable configuration', () => {
    expect(faultsOf({ servers: [other, self('nonvoter')] })).toEqual([])
  })
})
