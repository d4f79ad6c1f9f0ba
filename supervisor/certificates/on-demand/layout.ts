import { systemClock } from '../../base/adapters/system-clock.ts'
import { createAcmeStore, namesIn } from '../acme/adapters/store.ts'
import { createHandshakeFiles, type HandshakeFiles } from './adapters/handshake-files.ts'
import { type OnDemandKeys, onDemandDir, onDemandPaths } from './paths.ts'

/** Writes every stored certificate to the directory where nginx looks for it, and removes all other files there. */
export function layOutOnDemand({
  config,
  nginxUser,
}: {
  config: OnDemandKeys
  nginxUser: { gid: number } | undefined
}): HandshakeFiles {
  const certificatesDir = onDemandDir(config)
  const store = createAcmeStore(certificatesDir)
  const files = createHandshakeFiles(onDemandPaths(config).directory, nginxUser?.gid)
  const kept = new Map(
    namesIn(certificatesDir).flatMap(name => {
      const current = store.current(name)
      return current && current.certificate.notAfter > systemClock.now() ? [[name, current.pem] as const] : []
    }),
  )
  for (const [name, pem] of kept) files.write(name, pem)
  files.keepOnly(new Set(kept.keys()))
  return files
}
