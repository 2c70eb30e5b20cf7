import type { Logger } from '@raftkit/interface'
import { pino } from 'pino'
import type { RaftNodeOptions } from '../node-options.ts'

/** Writes to stdout, and says which node. */
export function defaultLogger({
  id,
  address,
}: Pick<RaftNodeOptions<never, never, never, never>, 'id' | 'address'>): Logger {
  return pino({ name: 'raftkit' }).child({ node: id ?? address })
}
