import { describe, expect, it } from 'vitest'
import { CommandArena } from '../../../src/runtime/calls/command-arena.ts'

describe('CommandArena', () => {
  it.each([0, 1, 100, 16 * 1024, 16 * 1024 + 1, 100_000])('copies %d bytes', (length) => {
    const arena = new CommandArena(40_000)
    const data = new Uint8Array(length).fill(7)
    const copy = arena.copy(data)
    data.fill(9)
    expect(copy).toEqual(new Uint8Array(length).fill(7))
  })

  it('copies what only looks like a Uint8Array: a Buffer shares its memory when sliced', () => {
    const data = Buffer.alloc(20_000, 7)
    const copy = new CommandArena().copy(data)
    data.fill(9)
    expect(copy[0]).toBe(7)
  })

  it('gives every command of a turn bytes of its own, across slabs', () => {
    const arena = new CommandArena(1000)
    const copies = Array.from({ length: 50 }, (_, fill) =>
      arena.copy(new Uint8Array(90).fill(fill)),
    )
    for (const [fill, copy] of copies.entries()) expect(copy).toEqual(new Uint8Array(90).fill(fill))
  })

  it('uses the same memory again after a turn', () => {
    const arena = new CommandArena()
    const first = arena.copy(new Uint8Array(10))
    arena.reset()
    expect(arena.copy(new Uint8Array(10)).buffer).toBe(first.buffer)
  })
})
