// Events, metrics and statistics: what watches a server must not disturb it, and must tell the truth.
import { type Mutant, tested } from '../mutant.ts'

const core = (file: string): string => `packages/raft-core/src/${file}.ts`

/** Planted bugs of observation. */
export const observation: readonly Mutant[] = [
  {
    name: 'listener-breaks-turn',
    broken: 'a listener that throws keeps the others from hearing, and ends the turn',
    source: 'hashicorp/raft: a blocking observer blocks the main loop',
    edits: [
      {
        file: core('runtime/observation/event-emitter'),
        find: '} catch (error) {\n        this.#failed(name, error)\n',
        replace: '} catch (error) {\n        throw error\n',
      },
    ],
    hunters: [tested('raft-core', 'test/runtime/observation/event-emitter.test.ts')],
  },
  {
    name: 'listener-rejection-unheard',
    broken: 'an asynchronous listener that rejects ends the process',
    source: 'an unhandled rejection ends a Node process',
    edits: [
      {
        file: core('runtime/observation/event-emitter'),
        find: 'if (result instanceof Promise) result.catch(',
        replace: 'if (result === this) Promise.resolve(result).catch(',
      },
    ],
    hunters: [tested('raft-core', 'test/raft/events.test.ts')],
  },
  {
    name: 'metrics-unguarded',
    broken:
      'metrics that throw when they are made keep the server from starting, and later stop it',
    source: 'the promise of RaftOptions.metrics',
    edits: [
      {
        file: core('metrics/meter'),
        find: 'withLabels(guardedMetrics(metrics, named), { server: id })',
        replace: 'withLabels(logger ? metrics : guardedMetrics(metrics, named), { server: id })',
      },
    ],
    hunters: [tested('raft-core', 'test/metrics/server-metrics.test.ts')],
  },
  {
    name: 'metrics-failure-passed-on',
    broken: 'a histogram that throws breaks what it measures',
    source: 'the promise of guardedMetrics',
    edits: [
      {
        file: 'packages/interface/src/ports/metrics.ts',
        find: 'settled(histogram.record(value))\n          } catch (error) {\n            failed(error)',
        replace:
          'settled(histogram.record(value))\n          } catch (error) {\n            failed(error)\n            throw error',
      },
    ],
    hunters: [tested('interface', 'test/ports/metrics.test.ts')],
  },
  {
    name: 'saturation-never-reset',
    broken: 'a server that was busy once looks busy for ever',
    source: 'hashicorp/raft: TestSaturationMetric',
    edits: [
      {
        file: core('metrics/saturation'),
        find: 'this.#windowStart = now\n    this.#busyMs = 0\n',
        replace: 'this.#windowStart = now\n',
      },
    ],
    hunters: [tested('raft-core', 'test/metrics/saturation.test.ts')],
  },
  {
    name: 'gauges-outlive-their-server',
    broken: 'a server that has stopped is still read, and kept in memory',
    source: 'the promise of Metrics.gauge',
    edits: [
      {
        file: core('metrics/meter'),
        find: 'for (const end of this.#gauges.splice(0)) end()',
        replace: '',
      },
    ],
    hunters: [tested('raft-core', 'test/metrics/server-metrics.test.ts')],
  },
  {
    name: 'old-heartbeat-failure-believed',
    broken:
      'contact flaps: an old heartbeat fails after a newer one of the same moment was answered',
    source: 'found while events were tested',
    edits: [
      {
        file: core('consensus/leadership/heartbeat'),
        find: ' || heartbeat.round < peer.ackedRound',
        replace: '',
      },
    ],
    hunters: [tested('raft-core', 'test/consensus/leadership/heartbeat.test.ts')],
  },
  {
    name: 'stopped-leader-still-replicates',
    broken: 'nobody is told that a leader which was shut down replicates no longer',
    source: 'hashicorp/raft: PeerObservation',
    edits: [
      {
        file: core('runtime/server'),
        find: 'this.#followed.update([])\n',
        replace: '',
      },
    ],
    hunters: [tested('raft-core', 'test/raft/events.test.ts')],
  },
]
