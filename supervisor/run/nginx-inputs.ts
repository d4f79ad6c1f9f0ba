import { join } from 'node:path'
import type { World } from '../base/world.ts'
import { type AcmeSwitch, createAcmeSwitch } from '../certificates/acme/switch.ts'
import { openCertificates, type ServedCertificates } from '../certificates/served.ts'
import type { OpenDynamicRoutes } from '../dynamic-routes/open.ts'
import type { Front } from '../front/front.ts'
import { type AccessLog, openAccessLog } from '../logs/adapters/access-log.ts'
import { readNginxFeatures } from '../nginx/adapters/files.ts'
import type { NginxFeatures } from '../nginx/features.ts'
import { accessLinesName } from '../nginx/log-tails.ts'
import type { Rotation } from '../nginx/rotation.ts'
import type { ProcessRuntime } from '../processes/child.ts'
import { openStaticDirectories, type StaticDirectories } from '../routes/static-directories.ts'
import type { SharedState } from '../shared-state/state.ts'
import type { Config } from '../site/schema.ts'
import { openUpstreams } from '../upstreams/upstreams.ts'
import type { SendCommand } from './command.ts'
import type { Run } from './run.ts'

/** Dependencies of nginx's inputs. */
export interface NginxInputsDeps extends ProcessRuntime {
  world: World
  run: Run
  send: SendCommand
  rotation: Rotation
  front: Front
  /** Undefined unless shared_state is set. */
  sharedState: SharedState | undefined
  /** Makes nginx workers quit that changes cannot reach. */
  retireOrphans(): Promise<void>
}

/** Inputs of the nginx configuration, and services that nginx depends on. */
export interface NginxInputs {
  features: NginxFeatures
  directories: StaticDirectories
  certificates: ServedCertificates
  acme: AcmeSwitch
  /** Undefined unless dynamic_routes is set. */
  dynamicRoutes: OpenDynamicRoutes | undefined
}

/** Opens all inputs of nginx at the same time, while the workers boot. */
export async function openNginxInputs(deps: NginxInputsDeps): Promise<NginxInputs> {
  const { run, rotation, send, sharedState } = deps
  const settings = run.settings()
  const { config } = settings
  const refresh = (reason: string) => send({ type: 'refreshCertificates' }, reason)
  const shared = { ...deps, settings: run.settings, refresh }
  const acme: AcmeSwitch = run.add(
    createAcmeSwitch({
      ...shared,
      served: () => certificates.current()?.kept ?? [],
      async hasRoute(host): Promise<boolean> {
        if (!dynamicRoutes) throw new Error('cannot look up dynamic routes: dynamic_routes is not set')
        return (await dynamicRoutes.find(host)).route !== undefined
      },
    }),
  )
  const [features, directories, certificates, dynamicRoutes] = await Promise.all([
    readNginxFeatures(join(deps.world.home, 'dist/cache/nginx.json')),
    openStaticDirectories({ ...shared, isDevelopment: deps.world.isDevelopment, onChange: rotation.changed }).then(
      run.add,
    ),
    openCertificates({ ...shared, issuance: acme.issuance, onHsts: () => void rotation.changed() }).then(run.add),
    config.dynamic_routes &&
      import('../dynamic-routes/open.ts')
        .then(found => found.openDynamicRoutes({ ...shared, ownPorts: portsOf(deps.front) }))
        .then(run.add),
    openUpstreams({ ...shared, onChange: () => void rotation.changed() }, settings).then(run.add),
    openAccessPath(config).then(({ path, close }) =>
      run.add({ name: 'access log', model: () => ({ accessLogPath: path }), close }),
    ),
    // also without a cache: a reload may set one
    import('../front/cache/purge.ts').then(found => found.removeOldCache(config)),
    sharedState &&
      import('../certificates/acme/shared/answers.ts')
        .then(found => found.openSharedAnswers(sharedState, { runDir: config.run_dir, gid: settings.nginxUser?.gid }))
        .then(run.add),
    config.tls.on_demand && import('../certificates/on-demand/layout.ts').then(files => files.layOutOnDemand(settings)),
  ])
  return { features, directories, certificates, acme, dynamicRoutes }
}

/** Path that nginx writes its access lines to: a file, if they must not wait for a reader. */
async function openAccessPath({ run_dir, logs }: Config): Promise<AccessLog> {
  if (logs.overflow === 'block') return openAccessLog(join(run_dir, 'access.fifo'))
  return { path: join(run_dir, 'nginx', accessLinesName), close: async () => {} }
}

function portsOf({ http, https }: Front): ReadonlySet<number> {
  return new Set([...http, ...https].map(({ port }) => port))
}
