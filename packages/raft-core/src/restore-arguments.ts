import { RaftError } from '@raftkit/interface'
import type { RestoreSource } from './runtime/snapshots/restores.ts'

/** hashicorp/raft's newest snapshot version; 0 is the one before it, whose state is the same. */
const NEWEST_VERSION = 1

/** Far beyond every log, and far from where indexes end. */
const MAX_INDEX = 2 ** 52

/** What is wrong with the description of a snapshot to restore; undefined when nothing is. */
export function checkRestore({ version, index, size }: RestoreSource): RaftError | undefined {
  const problems: string[] = []
  if (version !== 0 && version !== NEWEST_VERSION)
    problems.push(`unsupported snapshot version ${String(version)}`)
  if (!Number.isSafeInteger(index) || index < 0 || index > MAX_INDEX)
    problems.push(`index is ${String(index)}, it must be that of the snapshot`)
  if (!Number.isSafeInteger(size) || size < 0)
    problems.push(`size is ${String(size)}, it must be the number of bytes of the state`)
  if (problems.length === 0) return undefined
  return new RaftError('RAFT_INVALID_ARGUMENT', problems.join('; '), { details: { problems } })
}
