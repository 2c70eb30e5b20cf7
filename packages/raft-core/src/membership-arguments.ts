import { RaftError, type ServerAddress, type ServerId } from '@raftkit/interface'
import type {
  ConfigurationChange,
  MembershipPlan,
} from './consensus/configuration/configuration-change.ts'

/** Servers of one call; a cluster has far fewer. */
const MAX_SERVERS = 1024

/** A server that a change of the membership adds. */
export interface AddedServer {
  readonly id: ServerId
  readonly address: ServerAddress
  /** Default `voter`. A voter that is added as a nonvoter keeps its vote. */
  readonly suffrage?: 'voter' | 'nonvoter'
}

/** A change of several members. No server is named twice. */
export interface MembershipChange {
  /** New servers; or members that win a vote or get a new address. */
  readonly add?: readonly AddedServer[]
  /** Nonvoters that win a vote. */
  readonly promote?: readonly ServerId[]
  /** Voters that become nonvoters. */
  readonly demote?: readonly ServerId[]
  readonly remove?: readonly ServerId[]
}

/**
 * A copy of the change, so that what its owner does with it later changes nothing. Throws `RAFT_INVALID_ARGUMENT` for what
 * is no list; the names in the lists are checked by {@link checkChange}.
 */
export function planOf({
  add = [],
  promote = [],
  demote = [],
  remove = [],
}: MembershipChange): MembershipPlan {
  for (const [name, list] of Object.entries({ add, promote, demote, remove }))
    if (!Array.isArray(list))
      throw new RaftError('RAFT_INVALID_ARGUMENT', `${name} must be a list of servers`, {
        outcome: 'not-committed',
      })
  return {
    type: 'change-membership',
    add: add.map(({ id, address, suffrage = 'voter' }) => ({ id, address, suffrage })),
    promote: [...promote],
    demote: [...demote],
    remove: [...remove],
  }
}

/** What is wrong with the arguments of a membership call; undefined when nothing is. */
export function checkChange(
  change: ConfigurationChange,
  { prevIndex }: { readonly prevIndex?: number },
): RaftError | undefined {
  const problems = [...problemsOf(change)]
  if (prevIndex !== undefined && !(Number.isSafeInteger(prevIndex) && prevIndex >= 0))
    problems.push(`prevIndex is ${String(prevIndex)}, it must be the index of a configuration`)
  if (problems.length === 0) return undefined
  return new RaftError('RAFT_INVALID_ARGUMENT', problems.join('; '), { details: { problems } })
}

function problemsOf(change: ConfigurationChange): readonly string[] {
  switch (change.type) {
    case 'change-membership':
      return planProblems(change)
    case 'replace-server':
      return [
        ...nameProblems([change.id, change.by.id], [change.by.address]),
        ...(change.id === change.by.id
          ? [`${change.id} cannot take its own place: give the new server an id of its own`]
          : []),
      ]
    default:
      return nameProblems([change.id], 'address' in change ? [change.address] : [])
  }
}

function planProblems({
  add,
  promote,
  demote,
  remove,
}: Extract<MembershipPlan, { type: 'change-membership' }>): readonly string[] {
  const ids = [...add.map(({ id }) => id), ...promote, ...demote, ...remove]
  if (ids.length === 0) return ['the change names no server']
  if (ids.length > MAX_SERVERS)
    return [`the change names ${ids.length} servers, at most ${MAX_SERVERS} are taken`]
  const addresses = add.map(({ address }) => address)
  const problems = [...nameProblems(ids, addresses)]
  for (const id of repeated(ids)) problems.push(`${id} is named twice`)
  for (const address of repeated(addresses)) problems.push(`${address} is given to two servers`)
  for (const { id, suffrage } of add)
    if (suffrage !== 'voter' && suffrage !== 'nonvoter')
      problems.push(`the suffrage of ${id} must be voter or nonvoter`)
  return problems
}

function nameProblems(ids: readonly unknown[], addresses: readonly unknown[]): readonly string[] {
  const problems: string[] = []
  if (!ids.every(isName)) problems.push('id must be a non-empty string')
  if (!addresses.every(isName)) problems.push('address must be a non-empty string')
  return problems
}

function repeated(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.filter((name, place) => names.indexOf(name) !== place))
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
