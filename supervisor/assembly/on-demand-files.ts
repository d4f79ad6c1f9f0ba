import { createAcmeStore, namesIn } from '../adapters/acme-store.ts'
import { createHandshakeFiles, type HandshakeFiles } from '../adapters/handshake-files.ts'
import { systemClock } from '../base/clock.ts'
import { onDemandFolder, onDemandPlace } from './on-demand-place.ts'
import type { Settings } from './settings.ts'

/** Puts every certificate that is kept where nginx looks for it. */
export function layOutOnDemand({ config, nginxUser }: Pick<Settings, 'config' | 'nginxUser'>): HandshakeFiles {
  const folder = onDemandFolder(config)
  const store = createAcmeStore(folder)
  const files = createHandshakeFiles(onDemandPlace(config).folder, nginxUser?.gid)
  const kept = new Map(
    namesIn(folder).flatMap(name => {
      const current = store.current(name)
      return current && current.certificate.notAfter > systemClock.now() ? [[name, current.pem] as const] : []
    }),
  )
  for (const [name, pem] of kept) files.write(name, pem)
  files.keepOnly(new Set(kept.keys()))
  return files
}
