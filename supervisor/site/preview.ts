import { join } from 'node:path'
import { formatAddress } from '../base/address.ts'
import type { World } from '../base/world.ts'
import { hstsOf } from '../certificates/hsts/stages.ts'
import type { Hsts } from '../front/hsts.ts'
import { readNginxFeatures, readStaticFiles } from '../nginx/adapters/files.ts'
import { inlineConstants } from '../nginx/constant-maps.ts'
import { isCopy } from '../nginx/own-files.ts'
import { inspectDirectories } from '../routes/static-directories.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import { plannedServers } from '../workers/plan.ts'
import { modelNginx, noneRunning } from './compose.ts'
import { luaKeys } from './lua.ts'
import type { NginxModel } from './model.ts'
import { renderNginx } from './render.ts'
import type { Config } from './schema.ts'
import type { Settings } from './settings.ts'

/** Servers of an upstream as configured, without resolving their names. */
function namedServers({ upstreams }: Config, upstream: string): Upstream['servers'] {
  return (upstreams[upstream]?.servers ?? []).map(({ host, port, weight, isBackup }) => ({
    address: formatAddress(host, port),
    weight,
    isBackup,
  }))
}

function hstsPreview({ config }: Settings): Hsts | undefined {
  if (!config.tls.hsts) return undefined
  return hstsOf(config.tls.hsts, {
    progress: { stage: 0, since: 0 },
    isTrusted: config.https !== 'off',
    hasProxies: true,
  })
}

/** Files of the nginx configuration by name, as if all workers were ready. */
export async function previewFiles(settings: Settings, world: World): Promise<Map<string, string>> {
  const model = await previewModel(settings, world)
  const runsLua = luaKeys(model).length > 0
  const staticFiles = [...readStaticFiles(join(world.home, 'nginx'))].filter(
    ([name]) => runsLua || !name.startsWith('lua/'),
  )
  return inlineConstants(new Map([...staticFiles, ...renderNginx(model)]), isCopy)
}

/** Model before anything is bound or running. */
export async function previewModel(settings: Settings, world: World): Promise<NginxModel> {
  const { config } = settings
  const addresses = config.bind_addresses ?? ['0.0.0.0', '::']
  // port 0 takes any free port, which is not known in advance
  const at = (port: number, usual: number) => addresses.map(address => ({ address, port: port || usual }))
  const pair = join(config.run_dir, 'certificates/ID/served')
  return modelNginx(settings, await readNginxFeatures(), {
    ...noneRunning,
    directories: world.isDevelopment ? new Map() : await inspectDirectories(settings),
    http: at(config.http_port, 8080),
    https: config.https === 'off' ? [] : at(config.https_port, 8443),
    certificates:
      config.https === 'off'
        ? undefined
        : { fallback: { names: [], files: [{ chain: `${pair}.crt`, key: `${pair}.key` }] }, named: [] },
    // the value right after startup with a valid certificate
    hsts: hstsPreview(settings),
    serversOf: plan => plannedServers(plan, config.run_dir),
    upstreamServersOf: upstream => namedServers(config, upstream),
  })
}
