import { PROFILE_NAMES } from '@raftkit/simulator'
import { election } from './election.ts'
import type { Kind } from './kind.ts'
import { sessions } from './sessions.ts'

/** Kinds of world by the name that `--profile` has for them. */
export const KINDS: Readonly<Record<string, Kind>> = { sessions, election }

/** What `--profile` takes. */
export const WORLD_NAMES: readonly string[] = [...PROFILE_NAMES, ...Object.keys(KINDS)]
