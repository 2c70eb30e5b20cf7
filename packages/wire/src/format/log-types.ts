import { LogType } from '@raftkit/interface'

const KNOWN: readonly number[] = Object.values(LogType)

/** True for a number that hashicorp/raft uses as the type of an entry. */
export function isLogType(value: number): value is LogType {
  return KNOWN.includes(value)
}
