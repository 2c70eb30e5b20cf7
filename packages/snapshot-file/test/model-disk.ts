// A disk in memory that knows what was synced: it can fail any one operation, lose its power at any point, and
// then shows what may be found afterwards. Names and contents that were not synced are each there or not.
import { posix } from 'node:path'
import type { FileSystem, ReadableFile, WritableFile } from '../src/file-system.ts'

interface FileNode {
  readonly kind: 'file'
  content: Uint8Array
  durable: Uint8Array
}

interface DirectoryNode {
  readonly kind: 'directory'
  entries: Map<string, Node>
  durable: Map<string, Node>
  /** Changes of names since the last sync, each atomic. */
  pending: ((names: Map<string, Node>) => void)[]
}

type Node = FileNode | DirectoryNode

/** Picks one of `alternatives` possibilities, counted from 0. */
export type Chooser = (alternatives: number) => number

function newDirectory(): DirectoryNode {
  return { kind: 'directory', entries: new Map(), durable: new Map(), pending: [] }
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made up by the test`), { code })
}

export class ModelDisk implements FileSystem {
  readonly #root: DirectoryNode
  /** Operations begun so far. */
  operations = 0
  /** The power goes before the operation of this number. */
  powerCutAt = Number.POSITIVE_INFINITY
  /** The operation of this number fails with this code, once. */
  failAt = Number.POSITIVE_INFINITY
  failCode = 'EIO'
  readonly #cut: { is: boolean } = { is: false }

  constructor(root: DirectoryNode = newDirectory()) {
    this.#root = root
  }

  /** What a restart finds: every change that was not synced is kept or lost as `choose` says. */
  afterPowerCut(choose: Chooser): ModelDisk {
    const survivors = new Map<Node, Node>()
    const survive = (node: Node): Node => {
      const known = survivors.get(node)
      if (known !== undefined) return known
      if (node.kind === 'file') {
        const lost = node.content.byteLength - node.durable.byteLength
        const kept = [0, lost, lost >> 1][choose(3)]!
        const content = node.content.slice(0, node.durable.byteLength + kept)
        const file: FileNode = { kind: 'file', content, durable: content }
        survivors.set(node, file)
        return file
      }
      const names = new Map(node.durable)
      for (const change of node.pending) if (choose(2) === 1) change(names)
      const directory = newDirectory()
      survivors.set(node, directory)
      for (const [name, child] of names) directory.entries.set(name, survive(child))
      directory.durable = new Map(directory.entries)
      return directory
    }
    const root = survive(this.#root)
    if (root.kind !== 'directory') throw new Error('the root is a directory')
    return new ModelDisk(root)
  }

  /** Every path, for messages and for looking for remains. */
  paths(node: Node = this.#root, prefix = ''): string[] {
    if (node.kind === 'file') return []
    return [...node.entries].flatMap(([name, child]) => [
      `${prefix}/${name}`,
      ...this.paths(child, `${prefix}/${name}`),
    ])
  }

  async createDirectory(path: string): Promise<boolean> {
    await this.#operation()
    const [parent, name] = this.#parentOf(path)
    if (parent.entries.has(name)) return false
    this.#set(parent, name, newDirectory())
    return true
  }

  async listDirectories(path: string): Promise<readonly string[]> {
    await this.#operation()
    return [...this.#directory(path).entries]
      .filter(([, node]) => node.kind === 'directory')
      .map(([name]) => name)
  }

  async createFile(path: string): Promise<WritableFile> {
    await this.#operation()
    const [parent, name] = this.#parentOf(path)
    if (parent.entries.has(name)) throw systemError('EEXIST')
    const file: FileNode = {
      kind: 'file',
      content: new Uint8Array(0),
      durable: new Uint8Array(0),
    }
    this.#set(parent, name, file)
    return {
      write: async (bytes) => {
        await this.#operation()
        file.content = Buffer.concat([file.content, bytes])
      },
      sync: async () => {
        await this.#operation()
        file.durable = file.content
      },
      close: () => this.#operation(),
    }
  }

  async openFile(path: string): Promise<ReadableFile> {
    await this.#operation()
    const [parent, name] = this.#parentOf(path)
    const file = parent.entries.get(name)
    if (file === undefined) throw systemError('ENOENT')
    if (file.kind !== 'file') throw systemError('EISDIR')
    return {
      size: async () => {
        await this.#operation()
        return file.content.byteLength
      },
      read: async (target, position) => {
        await this.#operation()
        const bytes = file.content.subarray(position, position + target.byteLength)
        target.set(bytes)
        return bytes.byteLength
      },
      close: () => this.#operation(),
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#operation()
    const [parent, oldName] = this.#parentOf(from)
    const [newParent, newName] = this.#parentOf(to)
    if (parent !== newParent) throw new Error('this model renames inside one directory only')
    const node = parent.entries.get(oldName)
    if (node === undefined) throw systemError('ENOENT')
    if (parent.entries.has(newName)) throw systemError('ENOTEMPTY')
    this.#change(parent, (names) => {
      names.delete(oldName)
      names.set(newName, node)
    })
  }

  async remove(path: string): Promise<void> {
    const [parent, name] = this.#parentOf(path)
    const node = parent.entries.get(name)
    if (node?.kind === 'directory')
      for (const child of node.entries.keys()) await this.remove(`${path}/${child}`)
    await this.#operation()
    this.#change(parent, (names) => names.delete(name))
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#operation()
    const directory = this.#directory(path)
    directory.durable = new Map(directory.entries)
    directory.pending = []
  }

  async #operation(): Promise<void> {
    await Promise.resolve()
    if (this.operations === this.powerCutAt) this.#cut.is = true
    if (this.#cut.is) throw new Error('the power is gone')
    if (this.operations++ === this.failAt) throw systemError(this.failCode)
  }

  #set(parent: DirectoryNode, name: string, node: Node): void {
    this.#change(parent, (names) => names.set(name, node))
  }

  #change(parent: DirectoryNode, change: (names: Map<string, Node>) => void): void {
    change(parent.entries)
    parent.pending.push(change)
  }

  #parentOf(path: string): [DirectoryNode, string] {
    return [this.#directory(posix.dirname(path)), posix.basename(path)]
  }

  #directory(path: string): DirectoryNode {
    let node: Node | undefined = this.#root
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (node.kind !== 'directory') throw systemError('ENOTDIR')
      node = node.entries.get(name)
      if (node === undefined) throw systemError('ENOENT')
    }
    if (node.kind !== 'directory') throw systemError('ENOTDIR')
    return node
  }
}
