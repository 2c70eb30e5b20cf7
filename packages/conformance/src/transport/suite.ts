import type { Transport } from '@raftkit/interface'
import { assertHonest } from '../manifest.ts'
import type { Claim } from '../manifest.ts'
import type { Runner } from '../runner.ts'
import { concurrencyCases, failureCases, messageCases, unsupportedCases } from './calls.ts'
import type { OpenMore, TransportCase } from './case.ts'
import { closeCases } from './close.ts'
import { comesTwice, duplicateCases, onceCases } from './duplicates.ts'
import { preVoteSample, sampleExchanges } from './messages.ts'
import { breakCases, breaks, pipelineCases, pipelineEndCases } from './pipelines.ts'
import { refusesLargeCall, sizeLimitCases } from './size-limit.ts'
import { snapshotCases, snapshotFailureCases } from './snapshots.ts'

/** What a transport supports. */
export interface TransportManifest {
  /** Carries what only raftkit has: `forward` and the extra fields of messages. */
  readonly extensions: boolean
  /** Carries `request-pre-vote`. */
  readonly preVote: boolean
  /** The suite can break connections: `breakConnections` is given. */
  readonly breakConnections: boolean
  /** The suite can make messages come twice: `duplicate` is given. A byte stream never doubles anything. */
  readonly duplication: boolean
  /** Can be told how large a request may be: `openLimited` is given. */
  readonly sizeLimit: boolean
}

/** What {@link testTransport} needs. */
export interface TransportSuite<T extends Transport> {
  readonly runner: Runner
  /** The implementation, as the tests are to call it. */
  readonly name: string
  readonly supports: TransportManifest
  /** A transport that listens, reaches the others that were opened, and waits at least 5 s for answers by default. */
  open(): Promise<T>
  /** Breaks every connection between the two, as a network does. */
  breakConnections?(a: T, b: T): Promise<void>
  /** Makes everything that passes between the two come twice from now on. */
  duplicate?(a: T, b: T): Promise<void>
  /** As `open`, but refuses requests that it receives of more than so many bytes, entries and all. */
  openLimited?(maxRequestBytes: number): Promise<T>
  /** Called after each test for every transport that was opened in it, closed by then. */
  dispose?(transport: T): Promise<void>
}

/** Registers what every Transport must do. */
export function testTransport<T extends Transport>(suite: TransportSuite<T>): void {
  const { runner, name, supports } = suite
  runner.describe(`${name} as a Transport`, () => {
    runner.it('supports what its manifest says', async () => assertHonest(claimsOf(suite)))
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
    if (supports.breakConnections) {
      breakCases(test)
      onceCases(test)
    }
    if (supports.duplication) duplicateCases(test)
    if (supports.sizeLimit) sizeLimitCases(test)
    snapshotCases(test)
    snapshotFailureCases(test)
    closeCases(test)
  })
}

function claimsOf<T extends Transport>(suite: TransportSuite<T>): Claim[] {
  const { supports } = suite
  const claim = (
    flag: 'breakConnections' | 'duplication' | 'sizeLimit',
    hook: 'breakConnections' | 'duplicate' | 'openLimited',
    body: Parameters<TransportCase>[1],
  ): Claim => ({
    flag,
    says: supports[flag],
    hook,
    given: suite[hook] !== undefined,
    proof: () => onNetwork<Transport>(suite, body),
  })
  return [
    claim('breakConnections', 'breakConnections', breaks),
    claim('duplication', 'duplicate', comesTwice),
    claim('sizeLimit', 'openLimited', refusesLargeCall),
  ]
}

/** Runs a test on two transports and closes what was opened, also when it fails. */
async function onNetwork<T extends Transport>(
  suite: TransportSuite<T>,
  body: (a: T, b: T, more: OpenMore) => Promise<void>,
): Promise<void> {
  const opened: T[] = []
  const keep = async (opening: Promise<T> | undefined): Promise<T> => {
    if (!opening) throw new Error('the manifest says sizeLimit, but no openLimited was given')
    const transport = await opening
    opened.push(transport)
    return transport
  }
  const open = (): Promise<T> => keep(suite.open())
  try {
    await body(await open(), await open(), {
      open,
      breakConnections: async (a, b) => suite.breakConnections?.(a as T, b as T),
      duplicate: async (a, b) => suite.duplicate?.(a as T, b as T),
      openLimited: (maxRequestBytes) => keep(suite.openLimited?.(maxRequestBytes)),
    })
  } finally {
    for (const transport of opened) await transport.close()
    for (const transport of opened) await suite.dispose?.(transport)
  }
}
