import net from 'node:net'
import tls from 'node:tls'

const deadlineMs = 20_000

export interface RawOptions {
  /** Address on loopback that the connection comes from. */
  from?: string
  /** The one that it goes to. */
  to?: string
  tls?: boolean
  /** Written before the TLS handshake, byte by byte as latin1 has it. */
  preface?: string
}

/** Writes bytes to a port on loopback, and gives what comes back until the other side closes or resets. */
export function sendRaw(port: number | undefined, text: string, options: RawOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const plain = net.connect({
      host: options.to ?? '127.0.0.1',
      port: port ?? 0,
      ...(options.from ? { localAddress: options.from } : {}),
    })
    plain.write(options.preface ?? '', 'latin1')
    if (options.tls) plain.on('error', reject)
    const socket = options.tls ? tls.connect({ socket: plain, rejectUnauthorized: false }) : plain
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    const end = () => resolve(Buffer.concat(chunks).toString('latin1'))
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? end() : reject(error)))
    socket.on('close', end)
    socket.setTimeout(deadlineMs, () => socket.destroy(new Error(`no end of the answer to ${JSON.stringify(text)}`)))
    socket.write(Buffer.from(text, 'latin1'))
  })
}

/** What stands after the head of an answer. */
export function bodyOf(answer: string): string {
  return answer.slice(answer.indexOf('\r\n\r\n') + 4)
}

/** A request whose body is still to come: settles when the other side asks for it. */
export function holdRequest(port: number | undefined): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', port: port ?? 0 })
    socket.once('data', head => {
      if (/^HTTP\/1\.1 100 /.test(head.toString())) resolve(socket)
      else reject(new Error(`not asked for the body: ${head}`))
    })
    socket.on('error', reject)
    socket.setTimeout(deadlineMs, () => socket.destroy(new Error('not asked for the body in time')))
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n')
  })
}
