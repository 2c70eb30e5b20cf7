// Metrics in a registry of prom-client, which serves them to Prometheus.
import {
  type HistogramDescription,
  type MetricDescription,
  type MetricLabels,
  type Metrics,
  RaftError,
  withLabels,
} from '@raftkit/interface'
import {
  Counter,
  Gauge,
  Histogram,
  register,
  type Registry,
  type RegistryContentType,
} from 'prom-client'
import { bucketsOf, createHistogram } from './bucket-histogram.ts'
import { GaugeReaders } from './gauge-readers.ts'

/** Where the metrics go and what they are called. */
export interface PrometheusOptions {
  /** Default: prom-client's own registry, `register`. */
  readonly registry?: Registry<RegistryContentType>
  /** Put before every name: `shop_` makes `shop_raft_term`. Default: none. */
  readonly prefix?: string
  /** Labels on every metric. Servers that share a registry must give the same names. Default: none. */
  readonly labels?: MetricLabels
}

/** A metric that several servers share. */
interface Family<M> {
  readonly labels: readonly string[]
  readonly metric: M
  readonly readers: GaugeReaders
}

type AnyMetric = Counter | Gauge | Histogram

/** The metrics that this module made, by registry and name. */
const families = new WeakMap<Registry<RegistryContentType>, Map<string, Family<AnyMetric>>>()

/**
 * Metrics for `RaftOptions.metrics`. Several servers of one process may share a registry: they are told apart by the
 * label `server`. Making an instrument throws `RAFT_INVALID_CONFIG` when its name belongs to somebody else's metric, or has
 * other labels there; raftkit logs that and goes on without it.
 */
export function prometheusMetrics({
  registry = register,
  prefix = '',
  labels = {},
}: PrometheusOptions = {}): Metrics {
  const configurationOf = ({ name, help, labels: labelNames }: MetricDescription) => ({
    name: prefix + name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
  })
  return withLabels(
    {
      counter(description, values) {
        const { metric } = familyOf(
          registry,
          prefix,
          description,
          Counter,
          () => new Counter(configurationOf(description)),
        )
        const counter = metric.labels(values)
        // Nothing yet is a value too, and rates need it.
        counter.inc(0)
        return { add: (count) => counter.inc(count) }
      },
      histogram(description: HistogramDescription, values) {
        const { buckets } = description
        const { metric } = familyOf(registry, prefix, description, Histogram, () =>
          createHistogram({ ...configurationOf(description), buckets }),
        )
        return bucketsOf(metric, values)
      },
      gauge(description, values, read) {
        const { readers } = familyOf(
          registry,
          prefix,
          description,
          Gauge,
          (readers) =>
            new Gauge({
              ...configurationOf(description),
              collect() {
                this.reset()
                readers.each((value, given) => this.set(given, value))
              },
            }),
        )
        return readers.add(values, read)
      },
    },
    labels,
  )
}

/** The metric of that name, made when it is not there. */
function familyOf<M extends AnyMetric>(
  registry: Registry<RegistryContentType>,
  prefix: string,
  { name, labels }: MetricDescription,
  kind: abstract new (...given: never[]) => M,
  make: (readers: GaugeReaders) => M,
): Family<M> {
  const known = families.get(registry) ?? new Map<string, Family<AnyMetric>>()
  families.set(registry, known)
  const fullName = prefix + name
  const registered = registry.getSingleMetric(fullName)
  const family = known.get(fullName)
  if (registered === undefined) {
    const readers = new GaugeReaders()
    const made = { labels, metric: make(readers), readers }
    known.set(fullName, made)
    return made
  }
  if (family?.metric !== registered || !(family.metric instanceof kind))
    throw unusable(fullName, 'it is in the registry already, and not of raftkit: give a prefix')
  if (family.labels.join() !== labels.join())
    throw unusable(
      fullName,
      `it has the labels ${family.labels.join(', ')} there, and ${labels.join(', ')} here: give every server the same`,
    )
  return { ...family, metric: family.metric }
}

function unusable(name: string, why: string): RaftError {
  return new RaftError('RAFT_INVALID_CONFIG', `the metric ${name} cannot be registered: ${why}`, {
    details: { name },
  })
}
