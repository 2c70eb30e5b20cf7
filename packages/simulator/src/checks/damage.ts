import type { ServerId } from '@raftkit/interface'
import type { DiskImage } from '../disk/disk-image.ts'
import type { Violate } from './violation.ts'

/** A server reads its whole memory when it starts: it must have found what no checksum fits. */
export function checkStart(violate: Violate, id: ServerId, image: DiskImage): void {
  if (image.isUnreadable)
    violate(
      'damage is found',
      `${id} has started although its log, or its term and vote, is damaged`,
    )
}
