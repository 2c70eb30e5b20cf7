// Every planted bug, by area.
import type { Mutant } from '../mutant.ts'
import { disks } from './disks.ts'
import { networks } from './networks.ts'
import { callers } from './callers.ts'
import { elections } from './elections.ts'
import { jointConsensus } from './joint-consensus.ts'
import { leaderElection } from './leader-election.ts'
import { leadership } from './leadership.ts'
import { membership } from './membership.ts'
import { membershipChanges } from './membership-changes.ts'
import { operations } from './operations.ts'
import { preferredLeaders } from './preferred-leaders.ts'
import { nodeWorlds } from './node-worlds.ts'
import { observation } from './observation.ts'
import { reads } from './reads.ts'
import { replication } from './replication.ts'
import { restarts } from './restarts.ts'
import { clientSessions } from './sessions.ts'
import { snapshots } from './snapshots.ts'

/** All of them, in the order of the report. */
export const catalogue: readonly Mutant[] = [
  ...elections,
  ...leadership,
  ...preferredLeaders,
  ...replication,
  ...membership,
  ...membershipChanges,
  ...jointConsensus,
  ...reads,
  ...snapshots,
  ...restarts,
  ...operations,
  ...callers,
  ...clientSessions,
  ...leaderElection,
  ...nodeWorlds,
  ...observation,
  ...disks,
  ...networks,
]
