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
const block = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g
const marker = /-----BEGIN ([A-Z0-9 ]+)-----/g

/** Reads every object of a PEM file. Ignores a byte order mark, CRLF and text between the objects. */
export function readPem(bytes: Uint8Array): PemReading {
  if (bytes.length === 0) return { ok: false, problem: 'is empty', fix: 'write it again' }
  if (bytes[0] === derSequence && (bytes[1] ?? 0) >= 0x80) {
    return {
      ok: false,
      problem: 'is DER, not PEM',
      fix: 'convert it: openssl x509 -inform der (a certificate), openssl pkey -inform der (a key), openssl pkcs12 -nodes (a .pfx)',
    }
  }
  if (bytes.slice(0, 64).includes(0)) {
    return { ok: false, problem: 'is binary or UTF-16, not PEM', fix: 'save it as PEM in plain ASCII' }
  }
  const text = decodeLatin1(bytes)
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

/** Certificates of a file; `problem` says what it contains instead. */
export function certificatesOf(
  blocks: readonly PemBlock[],
): { ok: true; texts: string[] } | { ok: false; problem: string; fix: string } {
  const texts = blocks.filter(({ label }) => label === 'CERTIFICATE').map(({ text }) => text)
  if (texts.length > 0) return { ok: true, texts }
  if (blocks.some(({ label }) => label.endsWith('PRIVATE KEY'))) {
    return { ok: false, problem: 'contains a private key but no certificate', fix: 'the two files may be swapped' }
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
  const keys = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'))
  const open = keys.filter(({ isEncrypted }) => !isEncrypted)
  if (open.length > 0) return { ok: true, texts: open.map(({ text }) => text) }
  if (keys.length > 0) {
    return {
      ok: false,
      problem: 'is protected by a passphrase',
      fix: 'remove it with: openssl pkey -in KEY -out privkey.pem',
    }
  }
  if (blocks.some(({ label }) => label === 'CERTIFICATE')) {
    return { ok: false, problem: 'contains a certificate but no private key', fix: 'the two files may be swapped' }
  }
  return {
    ok: false,
    problem: 'contains no PEM private key',
    fix: 'it must begin with -----BEGIN PRIVATE KEY----- (or EC / RSA PRIVATE KEY)',
  }
}
