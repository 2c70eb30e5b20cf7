import type { Stream } from '../random/streams.ts'
import type { DiskImage } from './disk-image.ts'

/** What rots. */
export type RottenPart = 'log' | 'term and vote' | 'snapshot'

/** Changes a byte somewhere on the disk, without a word to anybody. Gives where; undefined when nothing is there. */
export function rot(image: DiskImage, random: Stream): RottenPart | undefined {
  const { firstIndex, lastIndex, hardState, snapshots } = image
  const parts: RottenPart[] = []
  if (lastIndex > 0) parts.push('log', 'log')
  if (hardState !== undefined) parts.push('term and vote')
  if (snapshots.length > 0) parts.push('snapshot', 'snapshot')
  if (parts.length === 0) return undefined
  const part = random.pick(parts)
  if (part === 'log') image.damageEntry(random.integer(firstIndex, lastIndex))
  else if (part === 'snapshot') image.damageSnapshot()
  else image.isStableDamaged = true
  return part
}
