/**
 * Cuts and joins the pieces of one write so that they fill frames of at most `frameBytes`: a frame costs more than
 * the bytes of a small piece. Pieces that fill a frame by themselves are not copied.
 */
export function packFrames(chunks: readonly Uint8Array[], frameBytes: number): Uint8Array[] {
  const frames: Uint8Array[] = []
  let small: Uint8Array[] = []
  let smallBytes = 0
  const endFrame = (): void => {
    const [first] = small
    if (first === undefined) return
    frames.push(small.length === 1 ? first : Buffer.concat(small, smallBytes))
    small = []
    smallBytes = 0
  }
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength;) {
      const piece = chunk.subarray(at, at + frameBytes - smallBytes)
      at += piece.byteLength
      small.push(piece)
      smallBytes += piece.byteLength
      if (smallBytes === frameBytes) endFrame()
    }
  }
  endFrame()
  return frames
}
