/** One object of a PEM file (RFC 7468), normalized: LF, 64 characters per line, nothing around it. */
export interface PemBlock {
  /** `CERTIFICATE`, `EC PRIVATE KEY` */
  label: string
  text: string
  /** Whether a passphrase protects it. */
  isEncrypted: boolean
}

/** Result of reading a PEM file. `problem` completes a sentence that begins with the file: "is empty". */
export type PemReading = { ok: true; blocks: PemBlock[] } | { ok: false; problem: string; fix: string }

const derSequence = 0x30
const opensshKey = 'OPENSSH PRIVATE KEY'
const block = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g
const marker = /-----BEGIN ([A-Z0-9 ]+)-----/g

/** Whether bytes are one object in DER: a sequence with a long length, or with a short one that is its own. */
export function isDer(bytes: Uint8Array): boolean {
  const length = bytes[1] ?? 0
  return bytes[0] === derSequence && (length >= 0x80 || bytes.length === length + 2)
}

/** Reads every object of a PEM file. Ignores a byte order mark, CRLF and text between the objects. */
export function readPem(bytes: Uint8Array): PemReading {
  if (bytes.length === 0) return { ok: false, problem: 'is empty', fix: 'write it again' }
  if (isDer(bytes)) {
    return {
      ok: false,
      problem: 'is DER, not PEM',
      fix: 'convert it: openssl x509 -inform der (a certificate), openssl pkey -inform der (a key), openssl pkcs12 -nodes (a .pfx)',
    }
  }
  if (bytes.slice(0, 64).includes(0)) {
    return { ok: false, problem: 'is binary or UTF-16, not PEM', fix: 'save it as PEM in plain ASCII' }
  }
  const decoded = decodeLatin1(bytes)
  // from a variable or JSON: line breaks as two characters
  const text = /-----BEGIN [A-Z0-9 ]+-----\\n/.test(decoded) ? decoded.replaceAll('\\n', '\n') : decoded
  const blocks: PemBlock[] = []
  for (const [, label = '', body = ''] of text.matchAll(block)) {
    const normalized = normalize(label, body)
    if (!normalized) return { ok: false, problem: `is damaged inside its ${label}`, fix: 'write it again' }
    blocks.push(normalized)
  }
  if ([...text.matchAll(marker)].length > blocks.length) {
    return { ok: false, problem: 'is cut off: a BEGIN line has no END line', fix: 'write the complete file again' }
  }
  return { ok: true, blocks }
}

function normalize(label: string, body: string): PemBlock | undefined {
  // RFC 1421 headers (Proc-Type, DEK-Info) of traditional keys with a passphrase
  const headers = /^\s*(?:[A-Za-z0-9-]+:[^\n]*\n)+/.exec(body)?.[0] ?? ''
  const base64 = body.slice(headers.length).replace(/\s+/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0) return undefined
  const lines = base64.match(/.{1,64}/g) ?? []
  return {
    label,
    text: `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`,
    isEncrypted: label.startsWith('ENCRYPTED') || headers.includes('ENCRYPTED'),
  }
}

function decodeLatin1(bytes: Uint8Array): string {
  let text = ''
  for (let index = 0; index < bytes.length; index += 8192)
    text += String.fromCharCode(...bytes.subarray(index, index + 8192))
  return text
}

/** Fix for a file that contains the other half of a pair. */
export const swappedFix = 'the two files may be swapped'

/** Fix for a single file that lacks the certificate or the key. */
export const wholeFix = 'export or write it again with the certificate and its private key, or mount them as two files'

/** Forms of certificates that TLS servers cannot use, by label. */
const otherForms: Record<string, { problem: string; fix: string }> = {
  PKCS7: {
    problem: 'is PKCS#7, not a certificate in PEM',
    fix: 'convert it: openssl pkcs7 -print_certs -in FILE -out fullchain.pem',
  },
  CMS: {
    problem: 'is PKCS#7 (CMS), not a certificate in PEM',
    fix: 'convert it: openssl cms -verify -noverify -nosigs -in FILE -certsout fullchain.pem',
  },
  'TRUSTED CERTIFICATE': {
    problem: "is OpenSSL's TRUSTED CERTIFICATE, which contains more than a certificate",
    fix: 'convert it: openssl x509 -in FILE -out fullchain.pem',
  },
  'CERTIFICATE REQUEST': {
    problem: 'is a request for a certificate (CSR), not a certificate',
    fix: 'mount the certificate that the CA issued for it',
  },
}
/** Certificates of a file; `problem` says what it contains instead. */
export function certificatesOf(
  blocks: readonly PemBlock[],
): { ok: true; texts: string[] } | { ok: false; problem: string; fix: string } {
  const texts = blocks.filter(({ label }) => label === 'CERTIFICATE').map(({ text }) => text)
  if (texts.length > 0) return { ok: true, texts }
  const other = blocks.map(({ label }) => otherForms[label]).find(form => form !== undefined)
  if (other) return { ok: false, ...other }
  if (blocks.some(({ label }) => label.endsWith('PRIVATE KEY'))) {
    return { ok: false, problem: 'contains a private key but no certificate', fix: swappedFix }
  }
  return {
    ok: false,
    problem: 'contains no PEM certificate',
    fix: 'it must begin with -----BEGIN CERTIFICATE-----; convert DER with: openssl x509 -inform der',
  }
}

/** Private keys of a file that no passphrase protects; `problem` says what it contains instead. */
export function keysOf(
  blocks: readonly PemBlock[],
): { ok: true; texts: string[] } | { ok: false; problem: string; fix: string } {
  const keys = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY') && label !== opensshKey)
  const open = keys.filter(({ isEncrypted }) => !isEncrypted)
  if (open.length > 0) return { ok: true, texts: open.map(({ text }) => text) }
  if (blocks.some(({ label }) => label === opensshKey)) {
    return {
      ok: false,
      problem: 'is in the format of OpenSSH, which TLS servers do not read',
      fix: "convert it in place: ssh-keygen -p -m PEM -N '' -f KEY",
    }
  }
  if (keys.length > 0) {
    return {
      ok: false,
      problem: 'is protected by a passphrase',
      fix: 'remove it with: openssl pkey -in KEY -out privkey.pem',
    }
  }
  if (blocks.some(({ label }) => label === 'CERTIFICATE')) {
    return { ok: false, problem: 'contains a certificate but no private key', fix: swappedFix }
  }
  return {
    ok: false,
    problem: 'contains no PEM private key',
    fix: 'it must begin with -----BEGIN PRIVATE KEY----- (or EC / RSA PRIVATE KEY)',
  }
}
