import type { Raft, RaftConfig, ReloadableConfig } from '@raftkit/raft-core'

/** Gives a running server what may change of `other`, or of `one` when it has that of `other` already. */
export function reloadEither<R>(raft: Raft<R>, one: RaftConfig, other: RaftConfig): void {
  const present = raft.reloadableConfig()
  const names = Object.keys(present) as (keyof ReloadableConfig)[]
  const hasOther = names.every((name) => present[name] === other[name])
  const next = hasOther ? one : other
  raft.reloadConfig(Object.fromEntries(names.map((name) => [name, next[name]])))
}
