// A server whose invariants fail stops; the process goes on.
import { expect, test } from 'vitest'
import { indexed, LoneServer, only, sender } from './lone-server.ts'

test('everyone who waits is told, and nothing else of that step leaves', () => {
  const server = new LoneServer()
  server.lead()
  server.step({ type: 'read-requested', readId: 1, needsIndex: true })
  server.step({ type: 'transfer-requested', transferId: 2, target: 'n2' })
  server.step({ type: 'read-requested', readId: 3, needsIndex: false })
  const effects = server.step({ type: 'applied', index: 99 })
  expect(effects.map(({ type }) => type)).toEqual([
    'drop-sends',
    'drop-sends',
    'proposals-orphaned',
    'read-refused',
    'read-refused',
    'transfer-ended',
    'role-changed',
    'leader-changed',
    'fatal',
  ])
  expect(only(effects, 'transfer-ended').refusal).toBe('stopped')
  expect(only(effects, 'fatal').message).toContain('applied index')
})

test('what the failed step had decided before does not leave', () => {
  const server = new LoneServer({ log: [1, 1] })
  server.append({ term: 1, prev: [2, 1], commit: 2 })
  // A leader of a new term, which would be saved, contradicts a committed entry.
  const effects = server.append({ from: 'n3', term: 4, prev: [1, 1], entries: [3] })
  expect(effects.map(({ type }) => type)).toEqual([
    'role-changed',
    'leader-changed',
    'answer',
    'fatal',
  ])
})

test('a snapshot that is being installed is answered', () => {
  const server = new LoneServer()
  const snapshot = { index: 6, term: 1, configuration: indexed(1, ['n1']) }
  server.receive({ type: 'install-snapshot', from: sender('n2'), term: 1, snapshot })
  const effects = server.step({ type: 'applied', index: 99 })
  expect(only(effects, 'answer')).toMatchObject({ requestId: 1, answer: { type: 'error' } })
})

test('from then on everything is refused', () => {
  const server = new LoneServer()
  server.step({ type: 'applied', index: 99 })
  expect(server.status.role).toBe('stopped')
  expect(server.step({ type: 'proposed', count: 2 })).toEqual([
    { type: 'proposals-refused', count: 2, reason: 'stopped' },
  ])
  expect(server.step({ type: 'read-requested', readId: 1, needsIndex: true })).toEqual([
    { type: 'read-refused', readId: 1, reason: 'stopped' },
  ])
  expect(server.step({ type: 'transfer-requested', transferId: 1 })).toEqual([
    { type: 'transfer-ended', transferId: 1, refusal: 'stopped' },
  ])
  expect(only(server.heartbeat(9), 'answer').answer.type).toBe('error')
  expect(server.turnAt(1000)).toEqual([])
  expect(server.status.term).toBe(1)
})

test('time that goes back stops the server', () => {
  const server = new LoneServer()
  server.turnAt(50)
  expect(server.turnAt(49).at(-1)?.type).toBe('fatal')
})

test('a hard state that was never saved cannot become durable', () => {
  const server = new LoneServer()
  expect(server.step({ type: 'hard-state-durable', sequence: 1 }).at(-1)?.type).toBe('fatal')
})
