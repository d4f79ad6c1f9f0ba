import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { type Browser, type BrowserOptions, launchChromium } from '../chromium.ts'
import { ask } from './ask.ts'
import { type Container, docker, type Owner } from './docker.ts'

export type { Browser } from '../chromium.ts'

/**
 * Chromium in the network of a container, which takes root: what listens there is on 127.0.0.1. In the machine's own it gives up what it is
 * loading (ERR_NETWORK_CHANGED) whenever another test starts or ends a container.
 */
export async function startChromium(
  owner: Owner,
  { container, ...options }: Omit<BrowserOptions, 'through'> & { container: string },
): Promise<Browser> {
  const pid = await docker(['inspect', '--format', '{{.State.Pid}}', container])
  return launchChromium(owner, { ...options, through: ['nsenter', `--net=/proc/${pid}/ns/net`] })
}

/** A browser beside a container, which takes the certificate that is presented there and no other that nobody has signed. */
export async function browserAt(owner: Owner, container: Container, usesHttp3 = false): Promise<Browser> {
  const { certificate } = await ask(`${await container.https()}/healthz`)
  assert.ok(certificate)
  const trusts = new X509Certificate(certificate.raw).publicKey
  return startChromium(owner, { container: container.id, trusts, usesHttp3 })
}
