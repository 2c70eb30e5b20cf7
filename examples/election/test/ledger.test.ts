import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLedgerServer, Ledger } from '../src/ledger.ts'
import { writeLines } from '../src/write-lines.ts'

describe('Ledger', () => {
  it('takes the lines of a leader and of its successor, and none of a replaced one', () => {
    const heard: boolean[] = []
    const ledger = new Ledger((_line, isAccepted) => heard.push(isAccepted))
    for (const [token, text] of [
      [3, 'a'],
      [3, 'b'],
      [9, 'c'],
      [3, 'late'],
      [9, 'd'],
    ] as const)
      ledger.append({ token, text })
    expect(ledger.lines.map(({ text }) => text)).toEqual(['a', 'b', 'c', 'd'])
    expect(heard).toEqual([true, true, true, false, true])
  })
})

describe('the leader', () => {
  let ledger: Ledger
  let server: ReturnType<typeof createLedgerServer>
  let url: URL
  let onLine: () => void = () => {}

  beforeEach(async () => {
    ledger = new Ledger(() => onLine())
    server = createLedgerServer(ledger).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  })

  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  it('writes until its signal is aborted', async () => {
    const end = new AbortController()
    onLine = () => {
      if (ledger.lines.length === 3) end.abort(new Error('over'))
    }
    const leadership = { term: 1, fencingToken: 5, signal: end.signal }
    await expect(writeLines(leadership, url, 'me', 1)).rejects.toThrow(/./)
    expect(ledger.lines).toEqual(Array(3).fill({ token: 5, text: 'written by me' }))
  })

  it('stops by itself when the ledger has seen a later one', async () => {
    ledger.append({ token: 6, text: 'later' })
    const leadership = { term: 1, fencingToken: 5, signal: new AbortController().signal }
    await writeLines(leadership, url, 'me', 1)
    expect(ledger.lines).toHaveLength(1)
  })

  it.each(['?token=x&text=a', '?text=a', '?token=0', `?token=1&text=${'x'.repeat(1001)}`])(
    'cannot write %s',
    async (query) => {
      const { status } = await fetch(new URL(query, url), { method: 'POST' })
      expect([status, ledger.lines]).toEqual([400, []])
    },
  )
})
