import { testStreamLayer } from '@raftkit/conformance'
import type { Runner } from '@raftkit/conformance'
import type { StreamConnection } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { failuresOf, withMethods } from './collecting-runner.ts'
import { MemoryConnection, MemoryStreamLayer, turn } from './reference/memory-stream-layer.ts'

type Defect = (layer: MemoryStreamLayer) => Partial<MemoryStreamLayer>

/** Registers the suite on the plain layer, with a defect or without. */
function register(runner: Runner, defect: Defect = () => ({})): void {
  const ports = new Map<string, MemoryStreamLayer>()
  let opened = 0
  const openAt = async (address: string): Promise<MemoryStreamLayer> => {
    const layer = new MemoryStreamLayer(ports, address)
    return withMethods(layer, defect(layer))
  }
  testStreamLayer({
    runner,
    name: 'MemoryStreamLayer',
    supports: { reuseAddress: true },
    open: () => openAt(`memory-${++opened}`),
    openAt,
  })
}

/** A defect in every connection, dialled or accepted. */
function inConnections(
  change: (connection: MemoryConnection) => Partial<StreamConnection>,
): Defect {
  const broken = (connection: StreamConnection): StreamConnection =>
    connection instanceof MemoryConnection
      ? withMethods<StreamConnection>(connection, change(connection))
      : connection
  return (layer) => ({
    listen: (onConnection) => layer.listen((connection) => onConnection(broken(connection))),
    dial: async (address, options) => broken(await layer.dial(address, options)),
  })
}

describe('testStreamLayer', () => {
  register(
    { describe, it },
    inConnections(() => ({})),
  )

  it.each<readonly [defect: string, caughtBy: string, Defect]>([
    ['sends only the first chunk', 'sends several chunks', inConnections(firstChunk)],
    ['turns the order round', 'carries bytes both ways, in order', inConnections(reversed)],
    ['always has room', 'says that there is no room', inConnections(endlessRoom)],
    ['drains at once', 'says that there is no room', inConnections(drainsAtOnce)],
    ['never drains', 'has room again at once', inConnections(neverDrains)],
    ['ignores pause', 'delivers nothing while paused', inConnections(restless)],
    ['says twice that it is gone', 'tells both ends once', inConnections(saysTwice)],
    ['tells only the other end', 'tells both ends once', inConnections(silentDestroy)],
    ['forgets the error', 'tells the error', inConnections(forgetsError)],
    ['invents an error', 'has no error to tell', inConnections(inventsError)],
    ['leaves a writer waiting', 'lets go of a writer', inConnections(leavesWriter)],
    ['delivers after destroy', 'delivers nothing to an end', inConnections(deliversAfter)],
    ['dials in spite of the signal', 'dials nobody when the signal', deaf],
    ['holds to the signal of a dial', 'leaves a connection alone', clinging],
    ['dials nobody and says nothing', 'RAFT_DIAL_FAILED', dialsNobody],
    ['keeps connections when closed', 'ends the connections', keepsConnections],
    ['dials after close', 'refuses to dial and to listen', undead],
    ['takes an address twice', 'where another one listens', sharesAddress],
    ['keeps its address', 'gives its address back', keepsAddress],
    ['has no fixed address', 'has a fixed address', wandering],
  ])('finds a layer out that %s', async (_defect, caughtBy, defect) => {
    const failed = await failuresOf((runner) => register(runner, defect), caughtBy)
    expect([...failed.keys()]).not.toEqual([])
  })

  it('finds a manifest out that does not fit', async () => {
    const failed = await failuresOf(
      (runner) =>
        testStreamLayer({
          runner,
          name: 'MemoryStreamLayer',
          supports: { reuseAddress: true },
          open: async () => new MemoryStreamLayer(new Map(), 'here'),
        }),
      'manifest',
    )
    expect(failed.size).toBe(1)
  })
})

function firstChunk(connection: MemoryConnection): Partial<StreamConnection> {
  return { write: (chunks) => connection.write(chunks.slice(0, 1)) }
}

function reversed(connection: MemoryConnection): Partial<StreamConnection> {
  return {
    write: (chunks) => {
      const room = connection.write(chunks)
      connection.other?.inbox.reverse()
      return room
    },
  }
}

function endlessRoom(connection: MemoryConnection): Partial<StreamConnection> {
  return {
    write: (chunks) => {
      connection.write(chunks)
      return true
    },
    drained: async () => {},
  }
}

function drainsAtOnce(): Partial<StreamConnection> {
  return { drained: turn }
}

function neverDrains(): Partial<StreamConnection> {
  return { drained: () => new Promise(() => {}) }
}

function restless(): Partial<StreamConnection> {
  return { pause: () => {} }
}

function saysTwice(connection: MemoryConnection): Partial<StreamConnection> {
  return {
    start: ({ onData, onClose }) =>
      connection.start({
        onData,
        onClose: (error) => {
          onClose(error)
          onClose(error)
        },
      }),
  }
}

function silentDestroy(connection: MemoryConnection): Partial<StreamConnection> {
  return { destroy: () => connection.other?.end() }
}

function forgetsError(connection: MemoryConnection): Partial<StreamConnection> {
  return { destroy: () => connection.destroy() }
}

function inventsError(connection: MemoryConnection): Partial<StreamConnection> {
  return { destroy: (error = new Error('gone')) => connection.destroy(error) }
}

function leavesWriter(connection: MemoryConnection): Partial<StreamConnection> {
  return {
    drained: async () => {
      await connection.drained()
      if (connection.gone) await new Promise(() => {})
    },
  }
}

function deliversAfter(connection: MemoryConnection): Partial<StreamConnection> {
  return {
    start: (events) => {
      connection.start(events)
      connection.deliver = async () => {
        await turn()
        for (const chunk of connection.inbox.splice(0)) events.onData(chunk)
      }
    },
  }
}

function deaf(layer: MemoryStreamLayer): Partial<MemoryStreamLayer> {
  return {
    dial: async (address, { signal, timeoutMs }) => {
      const connection = await layer.dial(address, { timeoutMs })
      signal?.throwIfAborted()
      return connection
    },
  }
}

function clinging(layer: MemoryStreamLayer): Partial<MemoryStreamLayer> {
  return {
    dial: async (address, options) => {
      const connection = await layer.dial(address, options)
      options.signal?.addEventListener('abort', () => connection.destroy())
      return connection
    },
  }
}

function dialsNobody(layer: MemoryStreamLayer): Partial<MemoryStreamLayer> {
  return {
    dial: async (address, options) =>
      layer.ports.has(address) ? layer.dial(address, options) : new MemoryConnection(),
  }
}

function keepsConnections(layer: MemoryStreamLayer): Partial<MemoryStreamLayer> {
  return { close: async () => void layer.ports.delete(layer.localAddress) }
}

function undead(layer: MemoryStreamLayer): Partial<MemoryStreamLayer> {
  return {
    close: async () => {
      await layer.close()
      layer.closed = false
    },
  }
}

function sharesAddress(layer: MemoryStreamLayer): Partial<MemoryStreamLayer> {
  return {
    listen: (onConnection) => {
      layer.ports.delete(layer.localAddress)
      return layer.listen(onConnection)
    },
  }
}

function keepsAddress(layer: MemoryStreamLayer): Partial<MemoryStreamLayer> {
  return {
    close: async () => {
      for (const connection of layer.connections) connection.destroy()
    },
  }
}

function wandering(layer: MemoryStreamLayer): Partial<MemoryStreamLayer> {
  return {
    get localAddress() {
      return layer.closed ? 'nowhere' : layer.localAddress
    },
  }
}
