import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readPeersFile } from '../../src/start/peers-file.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'raftkit-peers-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function fileOf(text: string): Promise<string> {
  const path = join(directory, 'peers.json')
  await writeFile(path, text)
  return path
}

const voter = { suffrage: 'voter', id: 'a:1', address: 'a:1' }

it('reads members', async () => {
  const path = await fileOf(
    '[{"id":"a:1","address":"a:1"},{"id":"b","address":"b:1","non_voter":true}]',
  )
  expect(await readPeersFile(path)).toEqual({
    servers: [voter, { suffrage: 'nonvoter', id: 'b', address: 'b:1' }],
  })
})

it('reads a list of addresses', async () => {
  expect(await readPeersFile(await fileOf('\n [ "a:1" ]\n'))).toEqual({ servers: [voter] })
})

it('names the file and what is wrong with it', async () => {
  const path = await fileOf('[{"id":"a"}]')
  await expect(readPeersFile(path)).rejects.toMatchObject({
    code: 'RAFT_INVALID_CONFIGURATION',
    message: expect.stringContaining(`${path} cannot be used`) as unknown,
    details: { path, problems: ['member 1 has no address that is a string'] },
  })
})

it('says that there is no such file', async () => {
  const path = join(directory, 'missing.json')
  await expect(readPeersFile(path)).rejects.toMatchObject({
    code: 'RAFT_INVALID_CONFIGURATION',
    message: expect.stringContaining('ENOENT') as unknown,
  })
})
