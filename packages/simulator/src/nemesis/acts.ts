import type { NemesisName } from '../world/world-options.ts'
import type { Act } from './act.ts'
import { bitRot, diskFull, diskHangs, wipe } from './disks.ts'
import { narrowLink, reset, slowLink } from './links.ts'
import { add, demote, move, remove, replace } from './membership.ts'
import { several, swap } from './joint-changes.ts'
import {
  barrier,
  readIndex,
  reload,
  restart,
  snapshot,
  transfer,
  verifyLeader,
} from './operations.ts'
import { backup, restore } from './backups.ts'
import { bridge, flap, isolate, oneWay, ring, split } from './partitions.ts'
import { defection, lostHandOver } from './takeovers.ts'
import { clockJump, crashAll, crashAny, crashLeader, pause } from './processes.ts'

/** What is done to a cluster while the faults last, by the name of the nemesis. Each act ends by itself. */
export const ACTS: Readonly<Record<NemesisName, Act>> = {
  crash: crashAny,
  'crash leader': crashLeader,
  'crash all': crashAll,
  pause,
  'clock jump': clockJump,
  isolate,
  split,
  'one way': oneWay,
  bridge,
  ring,
  flap,
  'slow link': slowLink,
  'narrow link': narrowLink,
  reset,
  'disk hangs': diskHangs,
  'disk full': diskFull,
  'bit rot': bitRot,
  wipe,
  defection,
  'lost hand-over': lostHandOver,
  transfer,
  snapshot,
  barrier,
  'verify leader': verifyLeader,
  'read index': readIndex,
  restart,
  reload,
  backup,
  restore,
  add,
  remove,
  demote,
  move,
  replace,
  several,
  swap,
}
