import net from 'node:net'
import tls from 'node:tls'

const deadlineMs = 20_000

export interface RawOptions {
  /** Address on loopback that the connection comes from. */
  from?: string
  tls?: boolean
  /** Written before the TLS handshake. */
  preface?: string
}

/** Writes bytes to a port on loopback, and gives what comes back until the other side closes. */
export function sendRaw(port: number | undefined, text: string, options: RawOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const plain = net.connect({
      host: '127.0.0.1',
      port: port ?? 0,
      ...(options.from ? { localAddress: options.from } : {}),
    })
    plain.on('error', reject)
    plain.write(options.preface ?? '')
    const socket = options.tls ? tls.connect({ socket: plain, rejectUnauthorized: false }) : plain
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.setTimeout(deadlineMs, () => socket.destroy(new Error(`no end of the answer to ${JSON.stringify(text)}`)))
    socket.write(Buffer.from(text, 'latin1'))
  })
}

/** What stands after the head of an answer. */
export function bodyOf(answer: string): string {
  return answer.slice(answer.indexOf('\r\n\r\n') + 4)
}
