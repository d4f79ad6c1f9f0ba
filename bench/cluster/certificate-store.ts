import type { AcmeStore } from '../../supervisor/certificates/acme/authority.ts'
import type { AcmePlan, AcmeRecord, AcmeSettings } from '../../supervisor/certificates/acme/plan.ts'
import type { UsableCertificate } from '../../supervisor/certificates/certificate.ts'

const dayMs = 86_400_000
/** Size of a chain of three certificates and its key, as CAs issue them. */
const chainBytes = 5500
const keyBytes = 241

/** The certificate that all simulated replicas have. */
export const plan: AcmePlan = { name: 'www.example.com', domains: ['www.example.com', 'example.com'] }

/** Settings of the simulated replicas. */
export const settings: AcmeSettings = {
  directory: 'https://acme.example.com/directory',
  email: undefined,
  caFile: undefined,
  eab: undefined,
  profile: undefined,
  preferredChain: undefined,
  keyType: 'ecdsa',
  challenge: 'http-01',
  dnsHook: undefined,
  plans: [plan],
}

const issued: UsableCertificate = {
  files: { chain: '', key: '' },
  certificate: {
    subject: plan.name,
    issuer: 'Example CA',
    names: [...plan.domains],
    serial: '01',
    notBefore: Date.now() - 30 * dayMs,
    notAfter: Date.now() + 60 * dayMs,
    keyMatches: true,
    keyType: 'ecdsa',
    id: 'certificate-of-the-bench',
    fingerprint: '',
    remarks: [],
  },
  pem: { chain: 'c'.repeat(chainBytes), key: 'k'.repeat(keyBytes) },
}

/** Certificates of a simulated replica, in memory. Calls `onSaved` with each record, also of another replica. */
export function createCertificateStore(
  first: AcmeRecord | undefined,
  onSaved: (record: AcmeRecord) => void,
): AcmeStore {
  let record = first
  let version = 0
  return {
    record: () => record,
    saveRecord(_name, next) {
      record = next
      version++
      onSaved(next)
    },
    version: () => version,
    current: () => issued,
    save: () => issued,
    remove() {},
    pendingKey: () => undefined,
    savePendingKey() {},
  }
}

/** The certificate, in place of reading its files. */
export const certificate = issued.certificate
