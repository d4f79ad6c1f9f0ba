import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { home, nginxProcesses, type Workspace } from '../workspace.ts'

/** Places in peers/nginx.conf for features. */
const featurePlaces = ['FEATURES', 'SERVER_FEATURES', 'FILE_FEATURES', 'APP_FEATURES'] as const

/** Values of the hand-written nginx configuration. */
export interface NginxConf {
  /** Directory for its pid and temporary files. */
  dir: string
  /** Path, or off. */
  accessLog: string
  address: string
  httpPort: number
  httpsPort: number
  appPorts: readonly number[]
  certificate: string
  key: string
  /** Directory with the files below /image/. */
  image: string
  /** Value of the header X-Release; default: no header. */
  release?: number
  /** Whether it does what Monohull does by default, as far as nginx can. */
  hasFeatures?: boolean
}

/** Writes the hand-written configuration to a stack's own directory, and returns its path. */
export function writeNginxConf(
  { certificate, key, image }: Workspace,
  conf: Pick<NginxConf, 'dir' | 'httpPort' | 'httpsPort' | 'appPorts' | 'release' | 'hasFeatures'> &
    Partial<Pick<NginxConf, 'accessLog'>>,
): string {
  const path = join(conf.dir, 'nginx.conf')
  writeFileSync(
    path,
    fillNginxConf({
      accessLog: join(conf.dir, 'access.log'),
      ...conf,
      address: '127.0.0.1',
      certificate,
      key,
      image: image.path,
    }),
  )
  return path
}

function featuresOf({ dir, accessLog, hasFeatures }: NginxConf): Record<string, string> {
  if (!hasFeatures)
    return {
      ACCESS_LOG: accessLog,
      CONNECTION: '""',
      HOST: '$host',
      ...Object.fromEntries(featurePlaces.map(place => [place, ''])),
    }
  return {
    ACCESS_LOG: accessLog === 'off' ? 'off' : `${accessLog} features`,
    CONNECTION: '$connection_upgrade',
    HOST: '$host$host_port',
    FEATURES: `include ${join(home, 'bench/peers/features.conf')};`,
    SERVER_FEATURES: fillTemplate('features-server.conf', { DIR: dir }),
    FILE_FEATURES: 'disable_symlinks on;',
    APP_FEATURES: `include ${join(home, 'bench/peers/features-app.conf')};`,
  }
}

/** Text of peers/nginx.conf with its values filled in. */
export function fillNginxConf(conf: NginxConf): string {
  return fillTemplate('nginx.conf', {
    DIR: conf.dir,
    ...featuresOf(conf),
    USER: process.getuid?.() === 0 ? 'user www-data;' : '',
    WORKER_PROCESSES: String(nginxProcesses),
    SERVERS: conf.appPorts.map(port => `        server 127.0.0.1:${port} max_fails=0;`).join('\n'),
    ADDRESS: conf.address,
    HTTP_PORT: String(conf.httpPort),
    HTTPS_PORT: String(conf.httpsPort),
    CERTIFICATE: conf.certificate,
    KEY: conf.key,
    IMAGE: conf.image,
    RELEASE: conf.release === undefined ? '' : `add_header X-Release ${conf.release};`,
  })
}

/** Text of a file in peers/ with its @NAMES@ filled in. */
export function fillTemplate(name: string, values: Record<string, string>): string {
  const text = readFileSync(join(home, 'bench/peers', name), 'utf8')
  return text.replace(/@([A-Z_]+)@/g, (placeholder, key: string) => values[key] ?? placeholder)
}
