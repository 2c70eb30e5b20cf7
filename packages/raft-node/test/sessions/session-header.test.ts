import { describe, expect, it } from 'vitest'
import {
  decodeSessionHeader,
  encodeSessionHeader,
  SESSION_HEADER_BYTES,
  type SessionHeader,
} from '../../src/sessions/session-header.ts'
import { DEFAULT_SESSION_LIMITS } from '../../src/sessions/session-limits.ts'

const large = Number.MAX_SAFE_INTEGER
const command: SessionHeader = {
  type: 'command',
  session: 7,
  nonce: 11,
  sequence: 70_000,
  answeredBelow: 1,
}
const register: SessionHeader = { type: 'register', nonce: 11, limits: DEFAULT_SESSION_LIMITS }

describe('the header of a session command', () => {
  it.each<[string, SessionHeader]>([
    ['a registration', register],
    ['a command', command],
    ['the first command', { ...command, sequence: 1, answeredBelow: 1 }],
    [
      'the largest numbers',
      {
        type: 'command',
        session: large,
        nonce: large,
        sequence: large,
        answeredBelow: large - 2 ** 24 + 1,
      },
    ],
  ])('comes back as it was: %s', (_name, header) => {
    const bytes = encodeSessionHeader(header)
    expect(bytes).toHaveLength(SESSION_HEADER_BYTES)
    expect(decodeSessionHeader(bytes)).toEqual(header)
  })

  it('has the form that is written down', () => {
    expect(Buffer.from(encodeSessionHeader(command)).toString('hex')).toBe(
      '524b5301' + '02' + '01116f' + '0000000000000007' + '000000000000000b' + '0000000000011170',
    )
    expect(Buffer.from(encodeSessionHeader(register)).toString('hex')).toBe(
      '524b5301' +
        '01' +
        '000000' +
        '000000000000000b' +
        '0036ee80' +
        '00000400' +
        '00002000' +
        '00400000',
    )
  })

  it.each<[string, Uint8Array | undefined]>([
    ['no extensions', undefined],
    ['none at all', new Uint8Array(0)],
    ['those of somebody else', new TextEncoder().encode('RKX and more')],
  ])('takes %s for a plain command', (_name, extensions) => {
    expect(decodeSessionHeader(extensions)).toBeUndefined()
  })

  const changed = (header: SessionHeader, at: number, value: number): Uint8Array => {
    const bytes = encodeSessionHeader(header)
    bytes[at] = value
    return bytes
  }

  const zeroed = (header: SessionHeader, at: number): Uint8Array =>
    encodeSessionHeader(header).fill(0, at, at + 4)

  it.each<[string, Uint8Array]>([
    ['another version', changed(command, 3, 2)],
    ['an unknown type', changed(command, 4, 3)],
    ['a missing byte', encodeSessionHeader(command).subarray(0, 31)],
    ['a byte too many', new Uint8Array([...encodeSessionHeader(command), 0])],
    ['a session that is no safe integer', changed(command, 8, 255)],
    ['a nonce that is no safe integer', changed(command, 16, 255)],
    ['a sequence that is no safe integer', changed(command, 24, 255)],
    ['more unanswered commands than there were', changed({ ...command, sequence: 70_000 }, 5, 2)],
    ['a session that lasts no time', zeroed(register, 16)],
    ['no sessions at all', zeroed(register, 20)],
    ['a window of nothing', zeroed(register, 24)],
    ['a window beyond the limit', changed(register, 24, 255)],
  ])('takes %s for malformed', (_name, extensions) => {
    expect(decodeSessionHeader(extensions)).toBe('malformed')
  })
})
