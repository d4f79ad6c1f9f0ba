import { systemClock } from '../../base/adapters/system-clock.ts'
import { createAcmeStore, namesIn } from '../acme/adapters/store.ts'
import { createHandshakeFiles, type HandshakeFiles } from './adapters/handshake-files.ts'
import { type OnDemandKeys, onDemandFolder, onDemandPlace } from './paths.ts'

/** Puts every certificate that is kept where nginx looks for it. */
export function layOutOnDemand({
  config,
  nginxUser,
}: {
  config: OnDemandKeys
  nginxUser: { gid: number } | undefined
}): HandshakeFiles {
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
