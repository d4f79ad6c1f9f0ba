import type { X509Certificate } from 'node:crypto'
import type { CertificateFacts } from '../certificate.ts'

export interface TlsQuestion {
  host: string
  port: number
  /** The name to ask for (SNI); none: like a client that has none. */
  name: string | undefined
  /** Whether connections begin with a PROXY protocol header. */
  proxyProtocol?: boolean
  /** Asks like a client that knows this kind of key only. */
  keyType?: CertificateFacts['keyType'] | undefined
}

const answerTimeoutMs = 5000
const signatures: Record<CertificateFacts['keyType'], string> = {
  ecdsa: 'ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512',
  rsa: 'rsa_pss_rsae_sha256:rsa_pss_pss_sha256:RSA+SHA256',
  eddsa: 'ed25519:ed448',
}

export interface TlsAnswer {
  certificate: X509Certificate
  protocol: string | null
  /** Why this machine would not trust it; undefined when it would. */
  distrust: string | undefined
}

/** The certificate that a TLS server presents in a real handshake, trusted or not. */
export async function askCertificate({ host, port, name, proxyProtocol, keyType }: TlsQuestion): Promise<TlsAnswer> {
  const [net, { connect }] = await Promise.all([import('node:net'), import('node:tls')])
  return new Promise((resolve, reject) => {
    const plain = net.connect({ host, port })
    plain.once('error', reject)
    // who is behind it, is not said
    if (proxyProtocol) plain.write('PROXY UNKNOWN\r\n')
    const socket = connect({
      socket: plain,
      rejectUnauthorized: false,
      servername: name ?? '',
      checkServerIdentity: () => undefined,
      ...(keyType ? { sigalgs: signatures[keyType] } : {}),
    })
    socket.setTimeout(answerTimeoutMs, () => socket.destroy(new Error('no answer in time')))
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate()
      const { authorizationError } = socket
      const answer = { protocol: socket.getProtocol(), distrust: authorizationError?.toString() }
      socket.destroy()
      if (certificate) resolve({ certificate, ...answer })
      else reject(new Error('the server showed no certificate'))
    })
  })
}
