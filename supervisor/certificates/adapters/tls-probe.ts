import type { X509Certificate } from 'node:crypto'
import type { CertificateFacts } from '../certificate.ts'

/** Server to probe, and the kind of client to act as. */
export interface TlsProbe {
  host: string
  port: number
  /** Name to request (SNI); undefined: none. */
  name: string | undefined
  /** Whether the connection begins with a PROXY protocol header. */
  proxyProtocol?: boolean
  /** Acts as a client that supports only this type of key. */
  keyType?: CertificateFacts['keyType'] | undefined
  /** Time for the handshake, which may wait for a certificate on demand; default: 5 s. */
  timeoutMs?: number
}

const handshakeTimeoutMs = 5000
const signatures: Record<CertificateFacts['keyType'], string> = {
  ecdsa: 'ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512',
  rsa: 'rsa_pss_rsae_sha256:rsa_pss_pss_sha256:RSA+SHA256',
  eddsa: 'ed25519:ed448',
}

/** Result of a handshake. */
export interface TlsProbeResult {
  certificate: X509Certificate
  protocol: string | null
  /** Reason why this machine does not trust the certificate; undefined if it does. */
  distrust: string | undefined
}

/** Certificate that a TLS server presents in a real handshake, trusted or not. Rejects if there is no handshake. */
export async function probeCertificate({
  host,
  port,
  name,
  proxyProtocol,
  keyType,
  timeoutMs = handshakeTimeoutMs,
}: TlsProbe): Promise<TlsProbeResult> {
  const [net, { connect }] = await Promise.all([import('node:net'), import('node:tls')])
  return new Promise((resolve, reject) => {
    const plain = net.connect({ host, port })
    plain.once('error', reject)
    // UNKNOWN: no client address
    if (proxyProtocol) plain.write('PROXY UNKNOWN\r\n')
    const socket = connect({
      socket: plain,
      rejectUnauthorized: false,
      servername: name ?? '',
      checkServerIdentity: () => undefined,
      ...(keyType ? { sigalgs: signatures[keyType] } : {}),
    })
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('the handshake timed out')))
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate()
      const { authorizationError } = socket
      const handshake = { protocol: socket.getProtocol(), distrust: authorizationError?.toString() }
      socket.destroy()
      if (certificate) resolve({ certificate, ...handshake })
      else reject(new Error('the server presented no certificate'))
    })
  })
}
