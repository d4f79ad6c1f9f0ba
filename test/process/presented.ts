import type { X509Certificate } from 'node:crypto'
import { probeCertificate } from '../../supervisor/certificates/adapters/tls-probe.ts'

/** Time for a handshake, which may wait for a certificate on demand. */
const timeoutMs = 30_000

/** The certificate that a port on loopback presents to who asks for a name. */
export async function presented(
  port: number | undefined,
  name: string | undefined = 'localhost',
  keyType?: 'ecdsa' | 'rsa',
): Promise<X509Certificate> {
  return (await probeCertificate({ host: '127.0.0.1', port: port ?? 0, name, keyType, timeoutMs })).certificate
}
