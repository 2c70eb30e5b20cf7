/** What the first bytes of a connection that makes no sense look like, as the end of a log line; '' if like nothing known. */
export function describeForeignProtocol(firstBytes: Uint8Array): string {
  const text = String.fromCharCode(...firstBytes)
  if (/^(GET|PUT|POST|HEAD|OPTI|DELE|PATC|CONN|TRAC|PRI )/.test(text))
    return '; it looks like HTTP: this port speaks Raft only'
  if (firstBytes[0] === 0x16 && firstBytes[1] === 0x03)
    return '; it looks like TLS: the other side uses TLS and this one does not'
  if (text.startsWith('SSH-')) return '; it looks like SSH'
  return ''
}
