// What a membership call makes of a configuration: hashicorp/raft's transition table, without its no-op rows.
import type {
  Configuration,
  Server,
  ServerAddress,
  ServerId,
  Suffrage,
} from '@raftkit/interface/protocol'

/** One change of one member. */
export type MemberChange =
  /** A vote at once, however far behind the server is. */
  | { readonly type: 'add-voter'; readonly id: ServerId; readonly address: ServerAddress }
  /** No vote yet: the leader gives one when the server has caught up (dissertation §4.2.1). */
  | { readonly type: 'stage-voter'; readonly id: ServerId; readonly address: ServerAddress }
  | { readonly type: 'add-nonvoter'; readonly id: ServerId; readonly address: ServerAddress }
  | { readonly type: 'demote-voter'; readonly id: ServerId }
  | { readonly type: 'remove-server'; readonly id: ServerId }
  /** Takes back `stage-voter`: the server stays as a nonvoter. Nothing for one that has its vote or is gone. */
  | { readonly type: 'unstage'; readonly id: ServerId }

/** A server that a plan adds, and what it counts for in the end. */
export interface PlannedServer extends Pick<Server, 'id' | 'address'> {
  readonly suffrage: 'voter' | 'nonvoter'
}

/** Several members at once (§6). No server is named twice. */
export type MembershipPlan =
  | {
      readonly type: 'change-membership'
      /** New servers, or nonvoters; one that wins a vote catches up first, and only then the change begins. */
      readonly add: readonly PlannedServer[]
      readonly promote: readonly ServerId[]
      readonly demote: readonly ServerId[]
      readonly remove: readonly ServerId[]
    }
  /** `by` takes the place of `id`, and has a vote when that has one. */
  | {
      readonly type: 'replace-server'
      readonly id: ServerId
      readonly by: Pick<Server, 'id' | 'address'>
    }

/** What a caller may ask for. */
export type ConfigurationChange = MemberChange | MembershipPlan

/** True for a change of several members. */
export function isPlan(change: ConfigurationChange): change is MembershipPlan {
  return change.type === 'change-membership' || change.type === 'replace-server'
}

/** What keeps a configuration from being usable. */
export type ConfigurationProblem =
  | 'empty-id'
  | 'empty-address'
  | 'duplicate-id'
  | 'duplicate-address'
  | 'no-voter'

/** A problem, and the member that has it. */
export interface ConfigurationFault {
  readonly problem: ConfigurationProblem
  readonly server?: Pick<Server, 'id' | 'address'>
}

/** The configuration after `change`; order is kept, new members come last. `undefined`: it names an unknown server. */
export function nextConfiguration(
  { servers }: Configuration,
  change: MemberChange,
): Configuration | undefined {
  const known = servers.find(({ id }) => id === change.id)
  switch (change.type) {
    case 'add-voter':
    case 'stage-voter':
    case 'add-nonvoter': {
      const { id, address } = change
      const suffrage = suffrageAfter(change.type, known?.suffrage)
      return { servers: withServer(servers, { ...known, suffrage, id, address }) }
    }
    case 'demote-voter':
      if (known === undefined) return undefined
      return { servers: withServer(servers, { ...known, suffrage: 'nonvoter' }) }
    case 'unstage':
      if (known?.suffrage !== 'staging') return undefined
      return { servers: withServer(servers, { ...known, suffrage: 'nonvoter' }) }
    case 'remove-server':
      if (known === undefined) return undefined
      return { servers: servers.filter(({ id }) => id !== change.id) }
  }
}

/** Adding never takes a vote away: a voter that is added again keeps it, and only its address may change. */
function suffrageAfter(
  type: 'add-voter' | 'stage-voter' | 'add-nonvoter',
  known: Suffrage | undefined,
): Suffrage {
  if (type === 'add-voter' || known === 'voter') return 'voter'
  return type === 'stage-voter' ? 'staging' : (known ?? 'nonvoter')
}

/** `servers` with `server` in the place of the one with its id, or as the last one. */
export function withServer(servers: readonly Server[], server: Server): readonly Server[] {
  const isKnown = servers.some(({ id }) => id === server.id)
  if (!isKnown) return [...servers, server]
  return servers.map((known) => (known.id === server.id ? server : known))
}

/** All that keeps `configuration` from being one; empty when it is usable. Looks at the half before the change only. */
export function faultsOf({ servers }: Configuration): readonly ConfigurationFault[] {
  const faults: ConfigurationFault[] = []
  const ids = new Set<ServerId>()
  const addresses = new Set<ServerAddress>()
  for (const server of servers) {
    const { id, address } = server
    if (id === '') faults.push({ problem: 'empty-id', server })
    if (address === '') faults.push({ problem: 'empty-address', server })
    if (ids.has(id)) faults.push({ problem: 'duplicate-id', server })
    if (addresses.has(address)) faults.push({ problem: 'duplicate-address', server })
    ids.add(id)
    addresses.add(address)
  }
  if (!servers.some(({ suffrage }) => suffrage === 'voter')) faults.push({ problem: 'no-voter' })
  return faults
}
