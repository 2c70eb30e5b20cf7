// A change of several members at once (§6): what it makes of a configuration, and whether that needs the joint state.
import type { Configuration, Server, ServerId } from '@raftkit/interface/protocol'
import { type MembershipPlan, type PlannedServer, withServer } from './configuration-change.ts'
import { isVoter } from './quorum.ts'

/** What a plan makes of the members; or the member of it that there is not. */
export type PlanResult =
  | { readonly servers: readonly Server[] }
  | { readonly unknownServer: ServerId }

/** The members after `plan`; order is kept, new members come last. */
export function serversAfter({ servers }: Configuration, plan: MembershipPlan): PlanResult {
  for (const id of namedMembers(plan))
    if (!servers.some((server) => server.id === id)) return { unknownServer: id }
  let after = servers
  for (const added of addedServers(servers, plan)) after = withServer(after, taken(after, added))
  if (plan.type === 'replace-server') return { servers: after.filter(({ id }) => id !== plan.id) }
  const { promote, demote, remove } = plan
  return {
    servers: after
      .filter(({ id }) => !remove.includes(id))
      .map((server): Server => {
        if (promote.includes(server.id)) return { ...server, suffrage: 'voter' }
        return demote.includes(server.id) ? { ...server, suffrage: 'nonvoter' } : server
      }),
  }
}

/**
 * The configuration in which the servers that `plan` adds receive the log, without a vote; undefined when they are all
 * there. Not `staging`: a later leader would give each of them its vote, without the rest of the plan.
 */
export function withLearners(
  { servers }: Configuration,
  plan: MembershipPlan,
): Configuration | undefined {
  let after = servers
  for (const { id, address } of addedServers(servers, plan)) {
    const known = servers.find((server) => server.id === id)
    if (known?.address === address) continue
    after = withServer(after, { ...(known ?? { suffrage: 'nonvoter' }), id, address })
  }
  return after === servers ? undefined : { servers: after }
}

/**
 * The configuration that leads to `target`: that itself while at most one server wins or loses its vote, since any two
 * majorities share a server then (dissertation §4.1); otherwise the joint one (§6).
 */
export function configurationTo(
  { servers }: Configuration,
  target: readonly Server[],
): Configuration {
  const before = voterIds(servers)
  const after = voterIds(target)
  const changed =
    before.filter((id) => !after.includes(id)).length +
    after.filter((id) => !before.includes(id)).length
  return changed <= 1 ? { servers: target } : { servers, next: target }
}

/** The members of `target` that have no vote in `configuration`. */
export function newVoters(
  { servers }: Configuration,
  target: readonly Server[],
): readonly ServerId[] {
  const before = voterIds(servers)
  return voterIds(target).filter((id) => !before.includes(id))
}

/** Members that the plan takes for known. */
function namedMembers(plan: MembershipPlan): readonly ServerId[] {
  return plan.type === 'replace-server'
    ? [plan.id]
    : [...plan.promote, ...plan.demote, ...plan.remove]
}

/** A server that takes the place of another one has a vote when that has one. */
function addedServers(servers: readonly Server[], plan: MembershipPlan): readonly PlannedServer[] {
  if (plan.type === 'change-membership') return plan.add
  const isVote = isVoter(servers.find(({ id }) => id === plan.id))
  return [{ ...plan.by, suffrage: isVote ? 'voter' : 'nonvoter' }]
}

/** Adding never takes a vote away. */
function taken(servers: readonly Server[], { id, address, suffrage }: PlannedServer): Server {
  const known = servers.find((server) => server.id === id)
  if (known === undefined) return { suffrage, id, address }
  return { ...known, suffrage: suffrage === 'voter' ? suffrage : known.suffrage, address }
}

function voterIds(servers: readonly Server[]): readonly ServerId[] {
  return servers.filter(isVoter).map(({ id }) => id)
}
