import fc from 'fast-check'
import {
  decodeConfiguration,
  encodeConfiguration,
  encodeRequest,
  encodeResponse,
} from '@raftkit/wire'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  configurations,
  entryBytes,
  plainRequest,
  plainResponse,
  requests,
  responses,
} from './messages.ts'
import { Recoder } from './recoder.ts'

const runs = { numRuns: 60 }

describe.runIf(inject('hasGo'))(
  'what raftkit writes is read by Go, which would write the same',
  () => {
    let go: Recoder
    beforeAll(() => {
      go = new Recoder()
    })
    afterAll(() => go.close())

    it.each(Object.entries(requests))('%s', async (type, request) => {
      await fc.assert(
        fc.asyncProperty(request, async (sent) => {
          // The byte of the type comes before the map.
          const bytes = Buffer.concat(encodeRequest(sent)).subarray(1)
          const plain = Buffer.concat(encodeRequest(plainRequest(sent))).subarray(1)
          expect(await go.recode(type, bytes)).toBe(plain.toString('hex'))
        }),
        runs,
      )
    })

    it.each(Object.entries(responses))('%s', async (type, response) => {
      await fc.assert(
        fc.asyncProperty(response, async (sent) => {
          // The error text, which is empty, comes before the map.
          const bytes = encodeResponse(sent).subarray(1)
          const plain = encodeResponse(plainResponse(sent)).subarray(1)
          expect(await go.recode(type, bytes)).toBe(Buffer.from(plain).toString('hex'))
        }),
        runs,
      )
    })

    it('Log', async () => {
      await fc.assert(
        fc.asyncProperty(entryBytes, async (bytes) => {
          expect(await go.recode('Log', bytes)).toBe(Buffer.from(bytes).toString('hex'))
        }),
        runs,
      )
    })

    it('Configuration', async () => {
      await fc.assert(
        fc.asyncProperty(configurations, async (configuration) => {
          const bytes = encodeConfiguration(configuration)
          const again = await go.recode('Configuration', bytes)
          expect(again).toBe(Buffer.from(bytes).toString('hex'))
          expect(decodeConfiguration(Buffer.from(again, 'hex'))).toEqual(configuration)
        }),
        runs,
      )
    })

    it('but not bytes that are cut short', async () => {
      const bytes = encodeConfiguration({
        servers: [{ suffrage: 'voter', id: 'a', address: 'b:1' }],
      })
      await expect(go.recode('Configuration', bytes.subarray(0, 20))).rejects.toThrow(
        'Go refuses it',
      )
    })
  },
)
