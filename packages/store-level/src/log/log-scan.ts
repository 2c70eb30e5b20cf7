import type { Index } from '@raftkit/interface'
import { decodeBlock } from './block.ts'
import type { Block } from './block.ts'
import type { Database, ScanOptions } from '../database/database.ts'
import { blockKey, LAST_BLOCK_KEY, lastIndexOfKey } from '../database/keys.ts'
import { DamagedRecord } from '../database/record.ts'

/**
 * The blocks from the one that holds `from` to the end of the log, in steps. Checks each block, that the first
 * holds `from`, and that each follows the one before by index and checksum; throws {@link DamagedRecord}.
 */
export async function* scanBlocks(
  database: Database,
  from: Index,
  options: ScanOptions,
): AsyncGenerator<readonly Block[], void, undefined> {
  let previous: Block | undefined
  for await (const records of database.scan(
    { from: blockKey(from), to: LAST_BLOCK_KEY },
    options,
  )) {
    const blocks: Block[] = []
    for (const [key, value] of records) {
      const block = readBlock(lastIndexOfKey(key), value)
      if (previous === undefined) checkHolds(block, from)
      else checkFollows(previous, block)
      blocks.push(block)
      previous = block
    }
    yield blocks
  }
}

function readBlock(lastIndex: Index, value: Uint8Array): Block {
  try {
    return decodeBlock(value, lastIndex)
  } catch (error) {
    if (!(error instanceof DamagedRecord)) throw error
    throw new DamagedRecord(`the block that ends at entry ${lastIndex}: ${error.message}`, {
      cause: error,
    })
  }
}

function checkHolds({ entries }: Block, index: Index): void {
  if (entries.firstIndex > index)
    throw new DamagedRecord(`entry ${index} is gone; the next one there is ${entries.firstIndex}`)
}

function checkFollows(previous: Block, block: Block): void {
  const { lastIndex } = previous.entries
  const { firstIndex } = block.entries
  if (firstIndex !== lastIndex + 1)
    throw new DamagedRecord(`entry ${lastIndex} is followed by entry ${firstIndex}`)
  if (block.previousChecksum !== previous.checksum)
    throw new DamagedRecord(
      `the block of entries ${firstIndex}..${block.entries.lastIndex} was not written after the one before it`,
    )
}
