import assert from 'node:assert/strict'
import type { Transport } from '@raftkit/interface'
import type { Runner } from '../runner.ts'
import { concurrencyCases, failureCases, messageCases, unsupportedCases } from './calls.ts'
import type { OpenMore, TransportCase } from './case.ts'
import { closeCases } from './close.ts'
import { preVoteSample, sampleExchanges } from './messages.ts'
import { breakCases, pipelineCases, pipelineEndCases } from './pipelines.ts'
import { snapshotCases, snapshotFailureCases } from './snapshots.ts'

/** What a transport supports. */
export interface TransportManifest {
  /** Carries what only raftkit has: `forward` and the extra fields of messages. */
  readonly extensions: boolean
  /** Carries `request-pre-vote`. */
  readonly preVote: boolean
  /** The suite can break connections: `breakConnections` is given. */
  readonly breakConnections: boolean
}

/** What {@link testTransport} needs. */
export interface TransportSuite<T extends Transport> {
  readonly runner: Runner
  /** The implementation, as the tests are to call it. */
  readonly name: string
  readonly supports: TransportManifest
  /** A transport that listens, reaches the others that were opened, and waits at least 5 s for answers by default. */
  open(): Promise<T>
  /** Breaks every connection between the two, as a network does. Given if and only if the manifest says so. */
  breakConnections?(a: T, b: T): Promise<void>
  /** Called after each test for every transport that was opened in it, closed by then. */
  dispose?(transport: T): Promise<void>
}

/** Registers what every Transport must do. */
export function testTransport<T extends Transport>(suite: TransportSuite<T>): void {
  const { runner, name, supports } = suite
  runner.describe(`${name} as a Transport`, () => {
    runner.it('supports what its manifest says', async () => {
      const given = suite.breakConnections !== undefined
      assert.equal(
        given,
        supports.breakConnections,
        'breakConnections is given as the manifest says',
      )
    })
    const test: TransportCase = (title, body) =>
      runner.it(title, () => onNetwork<Transport>(suite, body))
    const samples = sampleExchanges()
    messageCases(test, [
      ...samples.filter((sample) => supports.extensions || !sample.extension),
      ...(supports.preVote ? [preVoteSample()] : []),
    ])
    unsupportedCases(test, [
      ...samples.filter((sample) => !supports.extensions && sample.request.type === 'forward'),
      ...(supports.preVote ? [] : [preVoteSample()]),
    ])
    concurrencyCases(test)
    failureCases(test)
    pipelineCases(test)
    pipelineEndCases(test)
    if (supports.breakConnections) breakCases(test)
    snapshotCases(test)
    snapshotFailureCases(test)
    closeCases(test)
  })
}

/** Runs a test on two transports and closes what was opened, also when it fails. */
async function onNetwork<T extends Transport>(
  suite: TransportSuite<T>,
  body: (a: T, b: T, more: OpenMore) => Promise<void>,
): Promise<void> {
  const opened: T[] = []
  const open = async (): Promise<T> => {
    const transport = await suite.open()
    opened.push(transport)
    return transport
  }
  try {
    await body(await open(), await open(), {
      open,
      breakConnections: async (a, b) => suite.breakConnections?.(a as T, b as T),
    })
  } finally {
    for (const transport of opened) await transport.close()
    for (const transport of opened) await suite.dispose?.(transport)
  }
}
