import type { StreamConnection, StreamLayer } from '@raftkit/interface'

/** A stream layer that keeps what this side writes, by connection. */
export class RecordedStreams implements StreamLayer {
  /** Requests: what was written to each dialled connection. */
  readonly dialled: Uint8Array[][] = []
  /** Answers: what was written to each accepted connection. */
  readonly accepted: Uint8Array[][] = []
  readonly #layer: StreamLayer

  constructor(layer: StreamLayer) {
    this.#layer = layer
  }

  get localAddress(): string {
    return this.#layer.localAddress
  }

  listen(onConnection: (connection: StreamConnection) => void): Promise<void> {
    return this.#layer.listen((connection) => onConnection(recorded(connection, this.accepted)))
  }

  async dial(...args: Parameters<StreamLayer['dial']>): Promise<StreamConnection> {
    return recorded(await this.#layer.dial(...args), this.dialled)
  }

  close(): Promise<void> {
    return this.#layer.close()
  }
}

function recorded(connection: StreamConnection, records: Uint8Array[][]): StreamConnection {
  const record: Uint8Array[] = []
  records.push(record)
  return {
    remoteAddress: connection.remoteAddress,
    start: (events) => connection.start(events),
    write: (chunks) => {
      record.push(...chunks.map((chunk) => new Uint8Array(chunk)))
      return connection.write(chunks)
    },
    drained: () => connection.drained(),
    pause: () => connection.pause(),
    resume: () => connection.resume(),
    destroy: (error) => connection.destroy(error),
  }
}
