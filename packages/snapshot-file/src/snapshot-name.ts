// The name of a snapshot: hashicorp/raft's `<term>-<index>-<unixMillis>`, which is also its id and its directory.
import { isSafeNumber, type Index, type Term } from '@raftkit/interface'

/** Ending of the directory while the snapshot is written, or while it is removed. */
export const TEMPORARY_SUFFIX = '.tmp'

/** The parts of a snapshot's name. */
export interface SnapshotName {
  readonly term: Term
  readonly index: Index
  /** Milliseconds since the Unix epoch, moved forward when the name was taken. */
  readonly millis: number
}

const PATTERN = /^(0|[1-9]\d{0,15})-(0|[1-9]\d{0,15})-(0|[1-9]\d{0,15})$/

/** The id of a snapshot. */
export function formatName(name: SnapshotName): string {
  return `${name.term}-${name.index}-${name.millis}`
}

/** True for what {@link formatName} can give. Nothing else is ever joined to a path. */
export function isSnapshotName(text: string): boolean {
  const match = PATTERN.exec(text)
  return match !== null && match.slice(1).every((part) => isSafeNumber(Number(part)))
}

/** True for the directory of an unfinished (or half removed) snapshot. */
export function isTemporaryName(text: string): boolean {
  return text.endsWith(TEMPORARY_SUFFIX) && isSnapshotName(text.slice(0, -TEMPORARY_SUFFIX.length))
}
