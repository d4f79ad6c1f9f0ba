import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ClientAuthority {
  /** Its own certificate. */
  file: string
  /** Those that it has revoked so far. */
  revoked: string
  /** A certificate for a client, with its key. */
  issue(name: string): { cert: Buffer; key: Buffer }
  revoke(name: string): void
}

const configuration = (name: string) => `[ca]
default_ca=d
[d]
dir=.
database=index
certificate=ca.crt
private_key=ca.key
new_certs_dir=.
crlnumber=crlnumber
rand_serial=yes
default_md=sha256
default_days=30
default_crl_days=30
policy=p
[p]
commonName=supplied
organizationName=optional
[req]
distinguished_name=n
[n]
[v3_ca]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
# ${name}
`

/** A CA for certificates of clients, made with openssl in a folder of its own. */
export function makeClientAuthority(folder: string, name: string): ClientAuthority {
  mkdirSync(folder, { recursive: true })
  const place = (file: string) => join(folder, file)
  const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-config', 'conf']
  writeFileSync(place('conf'), configuration(name))
  writeFileSync(place('index'), '')
  writeFileSync(place('crlnumber'), '01\n')
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-extensions',
    'v3_ca',
    '-days',
    '30',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
  )
  const list = () => openssl('ca', '-config', 'conf', '-gencrl', '-out', 'ca.crl')
  list()
  return {
    file: place('ca.crt'),
    revoked: place('ca.crl'),
    issue(client) {
      openssl('req', '-new', ...newKey, '-subj', `/O=Test/CN=${client}`, '-keyout', `${client}.key`, '-out', 'request')
      openssl('ca', '-batch', '-config', 'conf', '-notext', '-in', 'request', '-out', `${client}.crt`)
      return { cert: readFileSync(place(`${client}.crt`)), key: readFileSync(place(`${client}.key`)) }
    },
    revoke(client) {
      openssl('ca', '-config', 'conf', '-revoke', `${client}.crt`)
      list()
    },
  }
}
