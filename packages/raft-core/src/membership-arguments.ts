import { RaftError } from '@raftkit/interface'
import type { ConfigurationChange } from './consensus/configuration-change.ts'

/** What is wrong with the arguments of a membership call; undefined when nothing is. */
export function checkChange(
  change: ConfigurationChange,
  { prevIndex }: { readonly prevIndex?: number },
): RaftError | undefined {
  const problems: string[] = []
  if (!isName(change.id)) problems.push('id must be a non-empty string')
  if ('address' in change && !isName(change.address))
    problems.push('address must be a non-empty string')
  if (prevIndex !== undefined && !(Number.isSafeInteger(prevIndex) && prevIndex >= 0))
    problems.push(`prevIndex is ${String(prevIndex)}, it must be the index of a configuration`)
  if (problems.length === 0) return undefined
  return new RaftError('RAFT_INVALID_ARGUMENT', problems.join('; '), { details: { problems } })
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
