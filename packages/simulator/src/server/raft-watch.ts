// What a running Raft says of itself: story, checks and marks.
import type { Configuration, StateMachine } from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'
import { checkQuietness } from '../checks/quietness.ts'
import { roleMark } from '../marks/server-marks.ts'
import type { Surroundings } from './surroundings.ts'

/** The run that a Raft belongs to. */
export interface WatchedRun {
  readonly isDead: () => boolean
  /** Somebody has asked it to shut down. */
  readonly isShutDown: () => boolean
  readonly onConfiguration: (latest: Configuration) => void
  /** It was told that a committed configuration is without it. */
  readonly onRemoved: () => void
  /** Raft has stopped by itself. */
  readonly onStopped: (error: unknown) => void
  /** Raft has stopped because it was removed. */
  readonly onLeft: () => void
}

/** Listens to everything that a Raft tells. */
export function watchRaft<M extends StateMachine<R>, R>(
  raft: Raft<R>,
  world: Surroundings<M, R>,
  run: WatchedRun,
): void {
  watchRole(raft, world, run)
  watchMembership(raft, world, run)
  const { marks, trace } = world
  raft.on('leadership-offered', () =>
    marks.hit('a leader handed over to a server of higher priority'),
  )
  raft.on('snapshot-saved', ({ meta }) => {
    marks.hit('a snapshot was taken')
    if (meta.configuration.next !== undefined) marks.hit('a snapshot was taken in the joint state')
  })
  raft.on('snapshot-installed', ({ index }) => {
    marks.hit('a snapshot was installed')
    trace.tell(raft.id, 'installed a snapshot of', index)
  })
}

function watchRole<M extends StateMachine<R>, R>(
  raft: Raft<R>,
  world: Surroundings<M, R>,
  { isDead }: WatchedRun,
): void {
  const { id } = raft
  const { trace, elections, marks, violate } = world
  let wasLeader = false
  raft.on('role-changed', ({ role, term, reason }) => {
    if (isDead()) return
    trace.tell(id, 'is', role, 'in term', term, `(${reason})`)
    const mark = roleMark(role, reason)
    if (mark !== undefined) marks.hit(mark)
    if (wasLeader && role !== 'leader' && raft.configuration().isJoint)
      marks.hit('a leader was lost in the joint state')
    wasLeader = role === 'leader'
    // It may have ended its campaign in the same turn, and learned of its removal.
    if (role === 'candidate' && raft.state === 'candidate')
      checkQuietness(violate, id, raft.configuration())
    if (role !== 'leader') return
    elections.elected(id, term, raft.configuration().configuration)
    world.onLeader(id)
  })
}

function watchMembership<M extends StateMachine<R>, R>(
  raft: Raft<R>,
  { marks }: Surroundings<M, R>,
  { isDead, isShutDown, onConfiguration, onRemoved, onStopped, onLeft }: WatchedRun,
): void {
  let wasRemoved = false
  raft.on('configuration-changed', ({ latest }) => onConfiguration(latest.configuration))
  raft.on('disk-lost', ({ server }) => {
    if (server === raft.id) marks.hit('a server learned that it is known with another disk')
  })
  raft.on('removed', () => {
    marks.hit('a server was told that it was removed')
    wasRemoved = true
    onRemoved()
  })
  raft.on('stopped', ({ error }) => {
    if (isDead()) return
    if (error !== undefined) onStopped(error)
    else if (wasRemoved && !isShutDown()) onLeft()
  })
}
