import type { IndexedConfiguration, ServerId, Term } from '@raftkit/interface/protocol'
import type { ConsensusTiming, Effect, Role } from '@raftkit/raft-core/consensus'
import type { Message, RequestMessage } from './messages.ts'
import type { SimulatedEntry, Write } from './simulated-disk.ts'
import type { SimulatedServer } from './simulated-server.ts'

/** What a server was when it decided something. */
export interface Standing {
  readonly role: Role
  readonly term: Term
  /** The configuration in force. */
  readonly latest: IndexedConfiguration
}

/** What a simulated server needs from the world around it. */
export interface Surroundings {
  readonly now: () => number
  readonly random: () => number
  /** A message leaves; for an answer, with the request that it answers. */
  readonly send: (message: Message, answers?: RequestMessage) => void
  readonly appended: (entries: readonly SimulatedEntry[], previousTerm: Term) => void
  readonly installed: (server: SimulatedServer) => void
  readonly durable: (server: SimulatedServer, write: Write) => void
  /** Told of every effect before it is carried out. */
  readonly observe: (server: SimulatedServer, effect: Effect, decidedAs: Standing) => void
  readonly timing: (id: ServerId) => ConsensusTiming
  /** True while the disk of this server makes every write durable at once. */
  readonly isDiskFast: (id: ServerId) => boolean
  readonly isRaftkit: (id: ServerId) => boolean
}
