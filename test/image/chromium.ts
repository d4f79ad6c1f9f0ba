import { type Browser, type BrowserOptions, launchChromium } from '../chromium.ts'
import { docker, type Owner } from './docker.ts'

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
