import assert from 'node:assert/strict'
import type { ServerAddress, StreamLayer } from '@raftkit/interface'
import { assertHonest } from '../manifest.ts'
import type { Runner } from '../runner.ts'
import type { StreamLayerCase } from './case.ts'
import { backPressureCases, dataCases } from './data.ts'
import { addressCases, connectionEndCases, dialCases, layerEndCases, reusesAddress } from './end.ts'

/** What a stream layer supports. */
export interface StreamLayerManifest {
  /** Can be told to listen at an address that was in use before: `openAt` is given. */
  readonly reuseAddress: boolean
}

/** What {@link testStreamLayer} needs. */
export interface StreamLayerSuite<L extends StreamLayer> {
  readonly runner: Runner
  /** The implementation, as the tests are to call it. */
  readonly name: string
  readonly supports: StreamLayerManifest
  /** A layer that does not listen yet, at an address that nobody has. */
  open(): Promise<L>
  /** A layer that does not listen yet, for this address. Given if and only if the manifest says `reuseAddress`. */
  openAt?(address: ServerAddress): Promise<L>
  /** Called after each test for every layer that was opened in it, closed by then. */
  dispose?(layer: L): Promise<void>
}

/** Registers what every StreamLayer must do. */
export function testStreamLayer<L extends StreamLayer>(suite: StreamLayerSuite<L>): void {
  const { runner, name, supports } = suite
  runner.describe(`${name} as a StreamLayer`, () => {
    runner.it('supports what its manifest says', async () => {
      await assertHonest([
        {
          flag: 'reuseAddress',
          says: supports.reuseAddress,
          hook: 'openAt',
          given: suite.openAt !== undefined,
          proof: () => onLayers<StreamLayer>(suite, reusesAddress),
        },
      ])
    })
    const test: StreamLayerCase = (title, body) =>
      runner.it(title, () => onLayers<StreamLayer>(suite, body))
    dataCases(test)
    backPressureCases(test)
    connectionEndCases(test)
    dialCases(test)
    layerEndCases(test)
    if (supports.reuseAddress) addressCases(test)
  })
}

/** Runs a test and closes the layers that it opened, also when it fails. */
async function onLayers<L extends StreamLayer>(
  suite: StreamLayerSuite<L>,
  body: Parameters<StreamLayerCase>[1],
): Promise<void> {
  const opened: L[] = []
  const keep = async (opening: Promise<L> | undefined): Promise<L> => {
    assert.ok(opening, 'the manifest says reuseAddress, but no openAt was given')
    const layer = await opening
    opened.push(layer)
    return layer
  }
  try {
    await body({
      open: () => keep(suite.open()),
      openAt: (address) => keep(suite.openAt?.(address)),
    })
  } finally {
    for (const layer of opened) await layer.close()
    for (const layer of opened) await suite.dispose?.(layer)
  }
}
