// A leader whose membership is changed, step by step.
import type { Index, ServerId } from '@raftkit/interface/protocol'
import type { ConfigurationChange, ConsensusTiming, Effect } from '@raftkit/raft-core/consensus'
import { all, type EffectOf, LoneServer, success, type LoneOptions } from './lone-server.ts'

/** So long that silence deposes nobody. */
export const lease: Partial<ConsensusTiming> = { leaderLeaseTimeoutMs: 100_000 }

/** A leader whose no-op everyone has. */
export function leader(options: LoneOptions = {}): LoneServer {
  const server = new LoneServer({ timing: lease, ...options })
  server.leadAndCommit()
  return server
}

/** Asks for a change and ends the turn. */
export function ask(
  server: LoneServer,
  change: ConfigurationChange,
  changeId = 1,
  prevIndex: Index = 0,
): readonly Effect[] {
  return server.turn({ type: 'change-requested', changeId, change, prevIndex })
}

/** Everyone who is sent entries has them; the leader's own disk too. */
export function acknowledge(
  server: LoneServer,
  effects: readonly Effect[],
  but: ServerId[] = [],
  held: EffectOf<'send-entries'>[] = [],
): Effect[] {
  const done: Effect[] = [...server.sync(effects)]
  for (const sent of server.read(effects))
    if (but.includes(sent.to.id)) held.push(sent)
    else done.push(...server.answered(sent, success(server.status.term)))
  done.push(...server.turn())
  return done
}

export const add = (id: ServerId): ConfigurationChange => ({
  type: 'add-voter',
  id,
  address: `${id}:1`,
})
export const stage = (id: ServerId): ConfigurationChange => ({
  type: 'stage-voter',
  id,
  address: `${id}:1`,
})
export const remove = (id: ServerId): ConfigurationChange => ({ type: 'remove-server', id })
export const demote = (id: ServerId): ConfigurationChange => ({ type: 'demote-voter', id })

/** Who was refused, why, and whether it may be made all the same. */
export const refusals = (effects: readonly Effect[]): unknown =>
  all(effects, 'change-refused').map(({ changeId, reason, isAppended }) => [
    changeId,
    reason,
    isAppended,
  ])

export const members = (server: LoneServer): string[] =>
  server.status.latest.configuration.servers.map(({ id, suffrage }) => `${id} ${suffrage}`)
